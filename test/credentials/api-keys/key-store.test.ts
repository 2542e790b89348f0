import { chmodSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KeyFileError } from '../../../src/credentials/api-keys/key-file.ts'
import { type KeyStore, type KeyStoreOptions, openKeyStore } from '../../../src/credentials/api-keys/key-store.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { type Directory, keyFileOf, NOW, temporaryDirectory, testKey } from './support.ts'

const NEVER = 1_000_000
const [one, two] = [testKey('api-key'), testKey('service-key')]

let directory: Directory
let file: string
let store: KeyStore | undefined
let news: string[]
beforeEach(() => {
  directory = temporaryDirectory()
  file = directory.path('keys.yaml')
  news = []
})
afterEach(() => {
  store?.close()
  directory.remove()
})

async function open(options: Partial<KeyStoreOptions> = {}): Promise<KeyStore> {
  const told: KeyStoreOptions['onNews'] = (it) => news.push(it.state)
  store = await openKeyStore({ file, interval: NEVER, onNews: told, ...options })
  return store
}

const accepts = ({ find }: KeyStore, ...keys: (typeof one)[]): boolean[] =>
  keys.map(({ secret }) => !isRefusal(find(secret, NOW * 1000)))

/** As `keys` does, and as a person with an editor does. */
const WRITERS: readonly [string, (text: string) => void][] = [
  [
    'swapped',
    (text) => {
      writeFileSync(`${file}.tmp`, text)
      renameSync(`${file}.tmp`, file)
    },
  ],
  ['written over', (text) => writeFileSync(file, text)],
]

describe.each(WRITERS)('a file that is %s', (_, write) => {
  test('counts from the next look on', async () => {
    write(keyFileOf([one.key]))
    const opened = await open()
    expect(accepts(opened, one, two)).toEqual([true, false])
    write(keyFileOf([{ ...one.key, revoked: NOW }, two.key]))
    expect(accepts(opened, one, two)).toEqual([true, false])
    await opened.look()
    expect(accepts(opened, one, two)).toEqual([false, true])
    await opened.look()
    expect(news).toEqual(['read', 'read'])
  })

  test('with what is broken changes nothing, until it is mended', async () => {
    write(keyFileOf([one.key]))
    const opened = await open()
    for (const text of ['', 'keys: [', keyFileOf([one.key]).slice(0, -20), 'version: 1\nkeys:\n  - { id: a }\n']) {
      write(text)
      await opened.look()
      await opened.look()
      expect(accepts(opened, one)).toEqual([true])
      expect(opened.problems).not.toEqual([])
    }
    write(keyFileOf([two.key]))
    await opened.look()
    expect(accepts(opened, one, two)).toEqual([false, true])
    expect(opened.problems).toEqual([])
    expect(news).toEqual(['read', 'broken', 'broken', 'broken', 'broken', 'read'])
  })
})

test('a change that shows neither in size nor in time is seen while the file is young', async () => {
  directory.write('keys.yaml', keyFileOf([one.key]))
  const { atime, mtime } = statSync(file)
  const opened = await open()
  const text = readFileSync(file, 'utf8').replace('"Acme"', '"Ecma"')
  writeFileSync(file, text)
  utimesSync(file, atime, mtime)
  await opened.look()
  expect(opened.list(0)[0]?.owner).toBe('Ecma')
})

test('a file that does not change is read once', async () => {
  directory.write('keys.yaml', keyFileOf([one.key]))
  const old = Date.now() / 1000 - 60
  utimesSync(file, old, old)
  const opened = await open()
  for (let i = 0; i < 3; i++) await opened.look()
  expect(news).toEqual(['read'])
})

describe('no file', () => {
  test('is no key, and is told once; it counts when it appears', async () => {
    const opened = await open()
    for (let i = 0; i < 3; i++) await opened.look()
    expect(accepts(opened, one)).toEqual([false])
    directory.write('keys.yaml', keyFileOf([one.key]))
    await opened.look()
    expect(accepts(opened, one)).toEqual([true])
    expect(news).toEqual(['missing', 'read'])
  })

  test('for a moment changes nothing, for longer it ends every key', async () => {
    const text = keyFileOf([one.key])
    directory.write('keys.yaml', text)
    const opened = await open()
    rmSync(file)
    await opened.look()
    expect(accepts(opened, one)).toEqual([true])
    directory.write('keys.yaml', text)
    await opened.look()
    rmSync(file)
    await opened.look()
    expect(accepts(opened, one)).toEqual([true])
    await opened.look()
    expect(accepts(opened, one)).toEqual([false])
    directory.write('keys.yaml', text)
    await opened.look()
    expect(accepts(opened, one)).toEqual([true])
  })

  test('leaves the keys that were made here', async () => {
    const opened = await open({ madeHere: [two.key] })
    expect(accepts(opened, one, two)).toEqual([false, true])
    directory.write('keys.yaml', keyFileOf([one.key]))
    await opened.look()
    expect(accepts(opened, one, two)).toEqual([true, true])
  })
})

describe('what cannot be used', () => {
  test('at the start is said, and nothing opens', async () => {
    directory.write('keys.yaml', 'version: 1\nkeys:\n  - { id: a }\n')
    await expect(open()).rejects.toThrow(KeyFileError)
    file = directory.path('.')
    await expect(open()).rejects.toThrow(KeyFileError)
    expect(news).toEqual([])
  })

  test('later leaves the keys, and is told once; the same text counts again afterwards', async () => {
    directory.write('keys.yaml', keyFileOf([one.key]))
    const opened = await open()
    const text = readFileSync(file)
    rmSync(file)
    renameSync(directory.path('.'), `${directory.path('.')}-away`)
    writeFileSync(directory.path('.').replace(/\/+$/, ''), 'in the way')
    for (let i = 0; i < 3; i++) await opened.look()
    expect(accepts(opened, one)).toEqual([true])
    expect(opened.problems.join()).toContain('ENOTDIR')
    rmSync(directory.path('.').replace(/\/+$/, ''))
    renameSync(`${directory.path('.')}-away`, directory.path('.'))
    writeFileSync(file, text)
    await opened.look()
    expect(opened.problems).toEqual([])
    expect(news).toEqual(['read', 'broken', 'read'])
  })
})

test('it looks by itself, and stops when it is closed', async () => {
  const opened = await open({ interval: 5 })
  directory.write('keys.yaml', keyFileOf([one.key]))
  await expect.poll(() => accepts(opened, one)).toEqual([true])
  opened.close()
  await opened.look()
  const told = news.length
  directory.write('keys.yaml', keyFileOf([two.key]))
  chmodSync(file, 0o600)
  await new Promise((resolve) => setTimeout(resolve, 40))
  expect(news).toHaveLength(told)
})
