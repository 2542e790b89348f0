import { readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UsageError } from '../../src/cli/command-line.ts'
import { runKeys } from '../../src/cli/keys.ts'
import { digestOf } from '../../src/credentials/verified-tokens.ts'
import { mapWith } from '../config/support/maps.ts'
import { type Directory, temporaryDirectory } from '../credentials/api-keys/support.ts'

let directory: Directory
let config: string
const [out, err]: [string[], string[]] = [[], []]

beforeEach(() => {
  directory = temporaryDirectory()
  config = directory.write('routes.yaml', mapWith({ append: 'apiKeys: { file: ours.yaml }\n' }))
  vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line))
  vi.spyOn(console, 'error').mockImplementation((line: string) => void err.push(line))
})
afterEach(() => {
  vi.restoreAllMocks()
  directory.remove()
})

async function run(line: string): Promise<{ code: number; out: string; err: string }> {
  out.length = 0
  err.length = 0
  const code = await runKeys([...line.split(' '), '--config', config])
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const create = (more = '') => run(`create --kind api-key --owner Acme --scope product.read --json${more}`)
const file = (): string => directory.path('ours.yaml')

describe('create', () => {
  test('shows the secret once, and keeps its hash in the file that the route map names', async () => {
    const { code, out, err } = await run('create --kind api-key --owner Acme --scope product.read')
    expect([code, err]).toEqual([0, `Shown only now. ${file()} keeps its hash.`])
    const secrets = out.match(/sgk_[\w-]{43}/g)
    expect(secrets).toHaveLength(1)
    expect(out).toContain(`key          ${secrets![0]}`)
    const text = readFileSync(file(), 'utf8')
    expect(text).toContain(`sha256: ${digestOf(secrets![0]!)}`)
    expect(text).not.toContain(secrets![0]!.slice(4))
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  test('lasts 365 days unless told otherwise', async () => {
    const days = async (more = '') => {
      const { created, expires } = JSON.parse((await create(more)).out)
      return (Date.parse(expires) - Date.parse(created)) / 86_400_000
    }
    expect(await days()).toBe(365)
    expect(await days(' --expires 90d')).toBe(90)
  })

  test('writes to another file when told', async () => {
    const elsewhere = directory.path('elsewhere.yaml')
    expect((await create(` --file ${elsewhere}`)).code).toBe(0)
    expect(JSON.parse((await run(`list --json --file ${elsewhere}`)).out).keys).toHaveLength(1)
    expect(JSON.parse((await run('list --json')).out).keys).toHaveLength(0)
  })

  test.each([
    [
      'create --kind api-key --owner Acme --scope product.rad',
      '"product.rad" is not in the catalogue. Did you mean "product.read"?',
    ],
    ['create --kind service-key --owner Acme --scope product.read', 'a service key cannot carry "product.read"'],
    ['create --kind api-key --owner A$ --scope product.read', '--owner takes'],
    ['create --kind api-key --owner Acme --scope product.read --self-service', 'not for self-service'],
  ])('%s is refused, and no file is made', async (line, problem) => {
    const { code, out, err } = await run(line)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(problem)
    expect(() => statSync(file())).toThrow()
  })

  test.each([
    '',
    'make',
    'create --kind bearer --owner Acme --scope product.read',
    'create --kind api-key --scope product.read',
    'create --kind api-key --owner Acme',
    'create --kind api-key --owner Acme --scope product.read --expires 0d',
    'create --kind api-key --owner Acme --scope product.read --expires soon',
    'create --kind api-key --owner Acme --scope product.read --expires 99999d',
    'create --kind api-key --owner Acme --scope product.read --key sgk_x',
    'create extra --kind api-key --owner Acme --scope product.read',
    'rotate',
    'rotate a b',
    'rotate a --overlap -1d',
    'revoke',
  ])('"%s" is no command', async (line) => {
    await expect(run(line)).rejects.toThrow(UsageError)
  })
})

describe('list', () => {
  test('shows everything but hashes and secrets', async () => {
    const created = JSON.parse((await create()).out)
    const { out } = await run('list')
    expect(out).toMatch(/^ID +KIND +STATUS +EXPIRES +OWNER +SCOPES\n/)
    expect(out).toMatch(new RegExp(`^${created.id} +api-key +active +20.{8} +Acme +product.read$`, 'm'))
    const { keys } = JSON.parse((await run('list --json')).out)
    const { key, ...facts } = created
    expect(keys).toEqual([facts])
    expect(JSON.stringify(keys) + out).not.toContain(digestOf(key))
  })

  test('of no file says so', async () => {
    expect(await run('list')).toEqual({ code: 0, out: `${file()} holds no keys.`, err: '' })
  })

  test('of a broken file says what is wrong with it', async () => {
    directory.write('ours.yaml', 'version: 1\nkeys:\n  - { id: a }\n')
    const { code, err } = await run('list')
    expect(code).toBe(1)
    expect(err).toContain(`${file()}:3:5: missing key "kind"`)
  })
})

describe('rotate and revoke', () => {
  test('the whole life of a key', async () => {
    const first = JSON.parse((await create()).out)
    const second = JSON.parse((await run(`rotate ${first.id} --overlap 7d --json`)).out)
    expect(second).toMatchObject({ rotatedFrom: first.id, owner: 'Acme', scopes: ['product.read'], status: 'active' })
    expect(second.key).toMatch(/^sgk_/)
    expect(second.key).not.toBe(first.key)

    const again = await run(`rotate ${first.id}`)
    expect([again.code, again.err]).toEqual([1, expect.stringContaining(`by "${second.id}" already`)])

    const revoked = await run(`revoke ${second.id} --json`)
    expect(JSON.parse(revoked.out)).toMatchObject({ id: second.id, status: 'revoked' })
    expect(revoked.err).toContain(`"${first.id}", of the same line, still counts`)
    expect((await run(`revoke ${second.id}`)).code).toBe(0)
    expect((await run(`rotate ${second.id}`)).code).toBe(1)

    const { keys } = JSON.parse((await run('list --json')).out)
    expect(keys.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual([
      [first.id, 'active'],
      [second.id, 'revoked'],
    ])
    const left = (Date.parse(keys[0].expires) - Date.now()) / 86_400_000
    expect(left).toBeGreaterThan(6.9)
    expect(left).toBeLessThanOrEqual(7)
  })

  test('a service key stays one', async () => {
    const map = mapWith({ replace: ['[oauth2]', '[service-key]'], append: 'apiKeys: { file: ours.yaml }\n' })
    directory.write('routes.yaml', map)
    const { id } = JSON.parse((await run('create --kind service-key --owner A --scope product.write --json')).out)
    expect(JSON.parse((await run(`rotate ${id} --json`)).out).key).toMatch(/^sgs_/)
  })

  test('an unknown key is told with the nearest', async () => {
    const { id } = JSON.parse((await create()).out)
    for (const command of ['revoke', 'rotate']) {
      const { code, err } = await run(`${command} ${id}0`)
      expect([code, err]).toEqual([1, `there is no key "${id}0"; did you mean "${id}"?`])
    }
  })

  test('need no route map when the file is named', async () => {
    const { id } = JSON.parse((await create()).out)
    directory.write('routes.yaml', 'broken: [')
    expect((await run(`revoke ${id}`)).err).toContain('name the key file by --file')
    expect((await run(`revoke ${id} --file ${file()}`)).code).toBe(0)
  })
})

test('a route map without apiKeys is told', async () => {
  directory.write('routes.yaml', mapWith({}))
  const { code, err } = await run(`create --kind api-key --owner A --scope product.read --file ${file()}`)
  expect([code, err]).toEqual([0, `Shown only now. ${file()} keeps its hash.`])
  expect((await run('list')).err).toContain('has no apiKeys')
})
