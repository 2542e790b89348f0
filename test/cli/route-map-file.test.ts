import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RouteMapFile } from '../../src/cli/route-map-file.ts'

const LOOK_MS = 15

let folder: string
let path: string
let file: RouteMapFile
let changes: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scopegate-map-'))
  path = join(folder, 'routes.yaml')
  changes = 0
})
afterEach(() => {
  file.stop()
  rmSync(folder, { recursive: true })
})

function follow(): void {
  file = new RouteMapFile(path, {})
  file.load()
  file.watch(() => {
    changes++
    file.load()
  }, LOOK_MS)
}

const changed = (times: number) =>
  expect.poll(() => [changes, file.text], { interval: 5, timeout: 10_000 }).toEqual([times, `n: ${times}`])
const looks = (count: number) => wait(count * LOOK_MS)

test('written in place', async () => {
  writeFileSync(path, 'n: 0')
  follow()
  await looks(3)
  expect(changes).toBe(0)
  for (const times of [1, 2]) {
    writeFileSync(path, `n: ${times}`)
    await changed(times)
  }
})

test('another file renamed over it, as editors do', async () => {
  writeFileSync(path, 'n: 0')
  follow()
  writeFileSync(join(folder, 'new'), 'n: 1')
  renameSync(join(folder, 'new'), path)
  await changed(1)
})

test('a symbolic link turned to another folder, as Kubernetes does with a ConfigMap', async () => {
  for (const [index, name] of ['a', 'b'].entries()) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'routes.yaml'), `n: ${index}`)
  }
  symlinkSync('a', join(folder, '..data'))
  symlinkSync(join('..data', 'routes.yaml'), path)
  follow()
  symlinkSync('b', join(folder, '..new'))
  renameSync(join(folder, '..new'), join(folder, '..data'))
  await changed(1)
})

test('removed and written anew', async () => {
  writeFileSync(path, 'n: 0')
  follow()
  unlinkSync(path)
  writeFileSync(path, 'n: 1')
  await changed(1)
})

test('touched but not changed is no change; what was loaded by somebody else is none either', async () => {
  writeFileSync(path, 'n: 0')
  follow()
  writeFileSync(path, 'n: 0')
  await looks(4)
  writeFileSync(path, 'n: 7')
  file.load()
  await looks(4)
  expect(changes).toBe(0)
})

test('a file that is being written counts when it has come to rest', async () => {
  writeFileSync(path, 'n: 0')
  follow()
  const seen: string[] = []
  file.stop()
  file.watch(() => {
    file.load()
    seen.push(file.text)
  }, LOOK_MS)
  let text = ''
  for (let line = 0; line < 20; line++) {
    text += `line: ${line}\n`
    writeFileSync(path, text)
    await wait(LOOK_MS / 3)
  }
  await expect.poll(() => seen.at(-1), { interval: 5, timeout: 10_000 }).toBe(text)
})

test('gone: told once, and again when it is back', async () => {
  writeFileSync(path, 'n: 0')
  follow()
  unlinkSync(path)
  await expect.poll(() => changes, { interval: 5, timeout: 10_000 }).toBe(1)
  await looks(4)
  expect([changes, file.text]).toEqual([1, ''])
  writeFileSync(path, 'n: 2')
  await changed(2)
})
