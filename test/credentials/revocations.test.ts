import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  openRevocationFile,
  type RevocationFile,
  type RevocationFileOptions,
} from '../../src/credentials/revocation-file.ts'
import { RevocationError, readRevocationLines } from '../../src/credentials/revocation-lines.ts'
import { type Revocation, RevocationList } from '../../src/credentials/revocation-list.ts'
import { MOST_REVOCATIONS, Revocations } from '../../src/credentials/revocations.ts'
import type { GrantFacts } from '../../src/domain/grant.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { type Directory, temporaryDirectory } from './api-keys/support.ts'
import { type IssuerServer, startIssuer } from './support/issuer-server.ts'
import { askedIssuer, Clock, claimsOf, Rig, START } from './support/rig.ts'

const ISS = 'https://ehr.example.org'
const NEVER = 1_000_000
const LATER = START + 1_000
/** Seconds that a revocation counts beyond its end. */
const SKEW = 300

const clock = new Clock()
beforeEach(() => {
  clock.seconds = START
})

const facts = (changes: Partial<GrantFacts> = {}): GrantFacts => ({
  kind: 'bearer',
  issuer: 'ehr',
  issuerUrl: ISS,
  tokenId: 't1',
  subject: 's1',
  client: 'c1',
  issuedAt: START - 60,
  audience: [],
  scopes: [],
  patients: [],
  expiresAt: LATER,
  ...changes,
})
const revoked = (revocations: Revocations, grant: GrantFacts): boolean => isRefusal(revocations.find(grant))

function having(...list: Revocation[]): Revocations {
  const revocations = new Revocations(clock.now)
  expect(revocations.post(list)).toBe(true)
  return revocations
}

describe('what is revoked', () => {
  test('a token by its issuer and its id', () => {
    const revocations = having({ iss: ISS, jti: 't1', expires: LATER })
    expect(revoked(revocations, facts())).toBe(true)
    expect(revoked(revocations, facts({ tokenId: 't2' }))).toBe(false)
    expect(revoked(revocations, facts({ issuerUrl: `${ISS}/` }))).toBe(false)
    const { tokenId, ...unnamed } = facts()
    expect(revoked(revocations, unnamed)).toBe(false)
    expect(revocations.find(facts())).toMatchObject({ code: 'token-revoked', status: 401 })
  })

  test.each(['sub', 'client'] as const)('everything of a %s, or what was issued up to a moment', (kind) => {
    const value = kind === 'sub' ? 's1' : 'c1'
    const all = having({ iss: ISS, [kind]: value, expires: LATER })
    expect(revoked(all, facts({ issuedAt: START + 900 }))).toBe(true)
    const before = having({ iss: ISS, [kind]: value, issuedBefore: START, expires: LATER })
    expect(revoked(before, facts({ issuedAt: START }))).toBe(true)
    expect(revoked(before, facts({ issuedAt: START + 1 }))).toBe(false)
    const { issuedAt, ...undated } = facts()
    expect(revoked(before, undated)).toBe(true)
    expect(revoked(before, facts({ subject: 'x', client: 'x' }))).toBe(false)
  })

  test('no key, whatever it is called', () => {
    const { issuer, issuerUrl, ...key } = facts({ kind: 'api-key' })
    expect(revoked(having({ iss: ISS, client: 'c1', expires: LATER }), key)).toBe(false)
  })

  test('until it expires, and as long beyond as clocks may differ: people write the end of the token, which counts for the skew', () => {
    const revocations = having({ iss: ISS, jti: 't1', expires: LATER })
    clock.seconds = LATER + SKEW - 1
    expect([revoked(revocations, facts()), revocations.list().length]).toEqual([true, 1])
    clock.seconds = LATER + SKEW
    expect([revoked(revocations, facts()), revocations.list().length]).toEqual([false, 0])
  })

  test('not less by being said again', () => {
    const revocations = having(
      { iss: ISS, sub: 's1', expires: LATER },
      { iss: ISS, sub: 's1', issuedBefore: START - 600, expires: START + 1 },
      { iss: ISS, client: 'c1', issuedBefore: START, expires: START + 1 },
      { iss: ISS, client: 'c1', issuedBefore: START - 5, expires: LATER },
    )
    expect(revocations.list()).toEqual([
      { iss: ISS, sub: 's1', expires: LATER },
      { iss: ISS, client: 'c1', issuedBefore: START, expires: LATER },
    ])
  })

  test('no more than memory allows; what has expired makes room, what counts is never dropped', () => {
    const revocations = new Revocations(clock.now)
    const many = (expires: number) =>
      Array.from({ length: MOST_REVOCATIONS }, (_, i): Revocation => ({ iss: ISS, jti: `t${i}`, expires }))
    expect(revocations.post(many(START + 10 - SKEW))).toBe(true)
    expect(revocations.post([{ iss: ISS, jti: 'one-more', expires: LATER }])).toBe(false)
    expect(revoked(revocations, facts({ tokenId: 't99999' }))).toBe(true)
    clock.seconds += 10
    expect(revocations.post([{ iss: ISS, jti: 'one-more', expires: LATER }])).toBe(true)
    expect(revoked(revocations, facts({ tokenId: 'one-more' }))).toBe(true)
  })

  test('is told to whoever listens, until they stop', () => {
    const revocations = new Revocations(clock.now)
    let heard = 0
    const stop = revocations.onChange(() => heard++)
    revocations.post([{ iss: ISS, jti: 't1', expires: LATER }])
    revocations.source().replace(new RevocationList())
    stop()
    revocations.post([{ iss: ISS, jti: 't2', expires: LATER }])
    expect(heard).toBe(2)
  })
})

describe('a line of the file', () => {
  const read = async (line: string) => [...(await readRevocationLines(line, 'r.jsonl', clock.now())).list]

  test('says moments as dates or seconds; without an end it counts for as long as it stands there', async () => {
    expect(await read(`{"iss":"${ISS}","jti":"t1","expires":"2027-01-31T08:00:00Z"}\n`)).toEqual([
      { iss: ISS, jti: 't1', expires: Date.parse('2027-01-31T08:00:00Z') / 1000 },
    ])
    expect(await read(`# why\n\n{"iss":"${ISS}","sub":"s1","issuedBefore":${START}}\r\n`)).toEqual([
      { iss: ISS, sub: 's1', issuedBefore: START, expires: Number.POSITIVE_INFINITY },
    ])
    expect(await read(`{"iss":"${ISS}","client":"c1","expires":${START - SKEW}}`)).toEqual([])
  })

  test.each([
    'x',
    '[]',
    '{}',
    '{"iss":"i"}',
    '{"jti":"t"}',
    '{"iss":"i","jti":"t","jti":"u"}',
    '{"iss":"i","jti":"t","sub":"s"}',
    '{"iss":"i","jti":""}',
    '{"iss":"","jti":"t"}',
    '{"iss":"i","jti":7}',
    '{"iss":"i","jti":null}',
    '{"iss":"i","token":"t"}',
    '{"iss":"i","jti":"t","issuedBefore":1}',
    '{"iss":"i","sub":"s","issuedBefore":"yesterday"}',
    '{"iss":"i","sub":"s","issuedBefore":"2027-13-01T00:00:00Z"}',
    '{"iss":"i","sub":"s","expires":-1}',
    '{"iss":"i","sub":"s","expires":1e99}',
    '{"iss":"i","sub":"s","Expires":1}',
    `{"iss":"i","sub":"${'s'.repeat(1025)}"}`,
  ])('that is wrong is told by its place alone: %.60s', async (line) => {
    const { problems } = (await read(`\n${line}`).catch((error: unknown) => error)) as RevocationError
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^r\.jsonl:2:1: /)
    expect(problems[0]).not.toContain('zebra')
  })
})

describe('the file', () => {
  let directory: Directory
  let file: string
  let opened: RevocationFile | undefined
  let news: string[]
  let revocations: Revocations
  beforeEach(() => {
    directory = temporaryDirectory()
    file = directory.path('revocations.jsonl')
    news = []
    revocations = new Revocations(clock.now)
  })
  afterEach(() => {
    opened?.close()
    directory.remove()
  })
  const open = async (options: Partial<RevocationFileOptions> = {}): Promise<RevocationFile> => {
    const onNews = ({ state }: { state: string }) => void news.push(state)
    opened = await openRevocationFile({ file, revocations, now: clock.now, interval: NEVER, onNews, ...options })
    return opened
  }
  const line = (jti: string, expires = LATER): string => `${JSON.stringify({ iss: ISS, jti, expires })}\n`
  const ids = (): (string | undefined)[] => revocations.list().map(({ jti }) => jti)

  test('must be there and whole at the start', async () => {
    await expect(open()).rejects.toThrow(/Create an empty one/)
    writeFileSync(file, `${line('t1')}{`)
    await expect(open()).rejects.toThrow(/revocations\.jsonl:2:1/)
    expect(ids()).toEqual([])
    writeFileSync(file, '')
    await open()
    expect(news).toEqual(['read'])
  })

  test('counts whole or not at all; what was read last counts while it is broken or gone', async () => {
    writeFileSync(file, line('t1'))
    const followed = await open()
    for (const change of [() => writeFileSync(file, `${line('t2')}x\n`), () => rmSync(file)]) {
      change()
      await followed.look()
      await followed.look()
      expect([ids(), followed.problems.length]).toEqual([['t1'], 1])
    }
    writeFileSync(file, line('t2'))
    await followed.look()
    expect([ids(), followed.problems]).toEqual([['t2'], []])
    expect(news).toEqual(['read', 'broken', 'missing', 'read'])
  })

  test('takes what is posted beside what others wrote, and drops what has expired', async () => {
    writeFileSync(file, line('old', START + 5 - SKEW) + line('t1'), { mode: 0o640 })
    const followed = await open()
    clock.seconds += 5
    writeFileSync(file, line('old', START + 5 - SKEW) + line('t1') + line('by-hand'))
    const posted = [{ iss: ISS, jti: 't2', expires: LATER }]
    revocations.post(posted)
    await Promise.all([
      followed.append(posted),
      followed.append([{ iss: ISS, sub: 's', issuedBefore: START, expires: LATER }]),
    ])
    expect(
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((it) => JSON.parse(it).jti),
    ).toEqual(['t1', 'by-hand', 't2', undefined])
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(ids()).toEqual(['t1', 'by-hand', 't2', undefined])
  })

  test('bars somebody for good, however long nobody changes it and whatever is posted beside', async () => {
    writeFileSync(file, `{"iss":"${ISS}","client":"c1"}\n`)
    const followed = await open()
    const later = () => ({ iss: ISS, jti: 't2', expires: clock.seconds + 10 })
    for (const posts of [false, true, true]) {
      if (posts) await followed.append([later()])
      clock.seconds += 100 * 86_400
      expect(revoked(revocations, facts({ issuedAt: clock.seconds }))).toBe(true)
    }
    await followed.append([later()])
    expect(readFileSync(file, 'utf8').split('\n')).toContain(`{"iss":"${ISS}","client":"c1"}`)
  })

  test('is read by every process for itself: others are told only what does not stand there', async () => {
    writeFileSync(file, line('t1'))
    await open()
    revocations.post([
      { iss: ISS, jti: 't1', expires: LATER },
      { iss: ISS, jti: 't2', expires: LATER },
      { iss: ISS, jti: 't3', expires: START - SKEW },
    ])
    writeFileSync(file, line('t1') + line('t4'))
    await opened!.look()
    expect(revocations.posted()).toEqual([{ iss: ISS, jti: 't2', expires: LATER }])
  })

  test('keeps what people wrote in between, and says nothing twice', async () => {
    writeFileSync(file, `# stolen tablet\n${line('t1')}\n# by hand`)
    const followed = await open()
    const posted = [{ iss: ISS, jti: 't2', expires: LATER }]
    for (let i = 0; i < 3; i++) await followed.append(posted)
    await followed.append([{ iss: ISS, jti: 't1', expires: LATER - 1 }])
    expect(readFileSync(file, 'utf8').replace(/"iss[^}]*"jti":"(t\d)"[^}]*/g, '$1')).toBe(
      '# stolen tablet\n{t1}\n# by hand\n{t2}\n',
    )
    expect(ids()).toEqual(['t1', 't2'])
  })

  test('is where a revocation is taken back: what it kept and no longer says counts no more', async () => {
    writeFileSync(file, '')
    const followed = await open()
    const posted = [{ iss: ISS, jti: 't1', expires: LATER }]
    revocations.post(posted)
    expect(ids()).toEqual(['t1'])
    await followed.append(posted)
    writeFileSync(file, '')
    await followed.look()
    expect(ids()).toEqual([])
  })

  test('that cannot be written leaves what was posted in force', async () => {
    writeFileSync(file, '')
    const followed = await open()
    writeFileSync(file, 'broken\n')
    const posted = [{ iss: ISS, jti: 't1', expires: LATER }]
    revocations.post(posted)
    await expect(followed.append(posted)).rejects.toThrow(RevocationError)
    expect(readFileSync(file, 'utf8')).toBe('broken\n')
    expect(ids()).toEqual(['t1'])
  })

  test('that would become too large to be read back is not written', async () => {
    const long = 'x'.repeat(1_000)
    writeFileSync(file, Array.from({ length: 15_000 }, (_, i) => line(`${long}${i}`)).join(''))
    const followed = await open()
    expect(revocations.list()).toHaveLength(15_000)
    const more = Array.from({ length: 1_000 }, (_, i) => ({ iss: ISS, sub: `${long}${i}`, expires: LATER }))
    await expect(followed.append(more)).rejects.toThrow(/it is full/)
    expect([followed.problems, revocations.list().length]).toEqual([[], 15_000])
    await followed.append(more.slice(0, 1))
    expect(revocations.list()).toHaveLength(15_001)
  })

  test('gives back what was posted when it is closed, unless it was taken out of it or another one says it', async () => {
    writeFileSync(file, line('by-hand'))
    const followed = await open()
    const posted = ['t1', 't2', 't3'].map((jti): Revocation => ({ iss: ISS, jti, expires: LATER }))
    revocations.post(posted)
    await followed.append(posted)
    writeFileSync(file, line('by-hand') + line('t1') + line('t2'))
    await followed.look()
    revocations.source().replace(new RevocationList([{ iss: ISS, jti: 't2', expires: LATER }]))
    followed.close()
    expect([ids(), revocations.posted().map(({ jti }) => jti)]).toEqual([['t2', 't1'], ['t1']])
  })

  test('says nothing any more when it is closed, others still do', async () => {
    writeFileSync(file, line('t1'))
    revocations.source().replace(new RevocationList([{ iss: ISS, jti: 't2', expires: LATER }]))
    const followed = await open()
    expect(ids()).toEqual(['t2', 't1'])
    followed.close()
    expect(ids()).toEqual(['t2'])
    writeFileSync(file, line('t3'))
    await followed.look()
    expect(ids()).toEqual(['t2'])
  })

  test('is looked at by itself', async () => {
    writeFileSync(file, '')
    await open({ interval: 5 })
    writeFileSync(file, line('t1'))
    await expect.poll(ids).toEqual(['t1'])
  })
})

describe('before an authenticator', () => {
  let issuer: IssuerServer
  beforeEach(async () => {
    issuer = await startIssuer()
  })
  afterEach(() => issuer.close())

  test('a remembered token ends at once, and comes back when the revocation does', async () => {
    const revocations = new Revocations(clock.now)
    const rig = new Rig([askedIssuer(issuer)], { revocations })
    const source = revocations.source()
    const [token, other] = await Promise.all([
      issuer.mint(claimsOf(issuer)),
      issuer.mint({ ...claimsOf(issuer), jti: 'token-2' }),
    ])
    issuer.say = () => ({ active: true, exp: START + 600, jti: 'token-1' })
    const outcomes = async () => [await rig.outcome(token), await rig.outcome(other), await rig.outcome('opaque')]
    expect(await outcomes()).toEqual(['ok', 'ok', 'ok'])
    source.replace(new RevocationList([{ iss: issuer.url, jti: 'token-1', expires: LATER }]))
    expect(await outcomes()).toEqual(['token-revoked', 'ok', 'token-revoked'])
    source.replace(new RevocationList([{ iss: issuer.url, client: 'app', issuedBefore: START, expires: LATER }]))
    expect(await outcomes()).toEqual(['token-revoked', 'token-revoked', 'ok'])
    source.replace(new RevocationList())
    expect(await outcomes()).toEqual(['ok', 'ok', 'ok'])
    expect(rig.lookups.filter((it) => it === 'miss').length).toBe(2)
    await rig.authenticator.close()
  })
})
