import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyFileError, parseKeyFile } from '../../../src/credentials/api-keys/key-file.ts'
import { changeKeyFile, readKeyFile } from '../../../src/credentials/api-keys/key-file-write.ts'
import { type Directory, keyFileOf, NOW, temporaryDirectory, testKey } from './support.ts'

let directory: Directory
beforeAll(() => {
  directory = temporaryDirectory()
})
afterAll(() => directory.remove())

const modeOf = (file: string): number => statSync(file).mode & 0o777

test('the first key makes the file, for its owner only, and leaves nothing beside it', async () => {
  const file = directory.path('new.yaml')
  const { key, secret } = testKey('api-key')
  expect(readKeyFile(file)).toEqual([])
  await changeKeyFile(file, (keys) => ({ add: keys.length === 0 ? key : undefined }))
  expect(readKeyFile(file)).toEqual([key])
  expect(modeOf(file)).toBe(0o600)
  expect(readFileSync(file, 'utf8')).not.toContain(secret.slice(4))
  expect(readdirSync(directory.path('.')).filter((name) => name.startsWith('new.yaml'))).toEqual(['new.yaml'])
})

test('comments and everything else stay as people wrote them', async () => {
  const [one, two] = [testKey('api-key').key, testKey('service-key').key]
  const text = `# ours\n${keyFileOf([one]).replace('keys:', 'keys: # oldest first')}`
  const file = directory.write('comments.yaml', text)
  await changeKeyFile(file, () => ({ add: two, end: { id: one.id, revoked: NOW } }))
  const changed = readFileSync(file, 'utf8')
  expect(changed).toContain('# ours\n')
  expect(changed).toContain('# oldest first')
  expect(parseKeyFile(changed, file)).toEqual([{ ...one, revoked: NOW }, two])
})

test('whoever may read the file still may, and a symbolic link stays one', async () => {
  const file = directory.write('real.yaml', keyFileOf([]))
  chmodSync(file, 0o640)
  symlinkSync(file, directory.path('link.yaml'))
  await changeKeyFile(directory.path('link.yaml'), () => ({ add: testKey('api-key').key }))
  expect(lstatSync(directory.path('link.yaml')).isSymbolicLink()).toBe(true)
  expect(readKeyFile(file)).toHaveLength(1)
  expect(modeOf(file)).toBe(0o640)
})

describe('nothing is written', () => {
  test('when nothing changes', async () => {
    const file = directory.write('same.yaml', keyFileOf([testKey('api-key').key]))
    const before = statSync(file, { bigint: true })
    await changeKeyFile(file, () => ({ end: undefined }))
    expect(statSync(file, { bigint: true })).toMatchObject({ ino: before.ino, mtimeNs: before.mtimeNs })
  })

  test.each(['version: 1\nkeys: [', 'version: 1\nkeys:\n  - { id: x }\n', 'version: 2\nkeys: []\n'])(
    'over a file that is broken: %j',
    async (text) => {
      const file = directory.write('broken.yaml', text)
      await expect(changeKeyFile(file, () => ({ add: testKey('api-key').key }))).rejects.toThrow(KeyFileError)
      expect(readFileSync(file, 'utf8')).toBe(text)
      expect(existsSync(`${file}.lock`)).toBe(false)
    },
  )

  test('that could not be read again', async () => {
    const { key } = testKey('api-key')
    const file = directory.write('sound.yaml', keyFileOf([key]))
    for (const add of [key, { ...testKey('api-key').key, owner: 'a\nb' }, { ...testKey('api-key').key, scopes: [] }]) {
      await expect(changeKeyFile(file, () => ({ add }))).rejects.toThrow(KeyFileError)
    }
    await expect(changeKeyFile(file, () => ({ end: { id: 'nobody', revoked: 1 } }))).rejects.toThrow('no key "nobody"')
    expect(readKeyFile(file)).toEqual([key])
  })

  test('when the plan fails', async () => {
    const file = directory.path('failed.yaml')
    const fail = () => {
      throw new KeyFileError(['no'])
    }
    await expect(changeKeyFile(file, fail)).rejects.toThrow('no')
    expect(existsSync(file) || existsSync(`${file}.lock`)).toBe(false)
  })
})

describe('several writers', () => {
  test('lose nothing of each other', async () => {
    const file = directory.path('busy.yaml')
    const keys = Array.from({ length: 12 }, () => testKey('api-key').key)
    await Promise.all(keys.map((key) => changeKeyFile(file, () => ({ add: key }))))
    const written = readKeyFile(file).map(({ id }) => id)
    expect(written.toSorted()).toEqual(keys.map(({ id }) => id).toSorted())
  })

  test('wait for each other, but not for ever', async () => {
    const file = directory.write('locked.yaml', keyFileOf([]))
    directory.write('locked.yaml.lock', '')
    const change = changeKeyFile(file, () => ({ add: testKey('api-key').key }), 60)
    await expect(change).rejects.toThrow(/locked\.yaml\.lock: another command .* remove this file/)
    expect(existsSync(`${file}.lock`)).toBe(true)
    expect(readKeyFile(file)).toEqual([])
  })
})
