// The Scope Reference and the access matrix of the shipped route map, in a real browser: by keyboard, on a phone, in the dark, without
// scripts, on paper, and judged by axe-core.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Browser, lacksBrowser, openBrowser } from '../support/browser.ts'
import { type Rig, startRig } from '../support/rig.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A browser, and axe-core looking at every element, take their time beside other tests. */
const SLOW = { timeout: 60_000 }
const ROUTES = readFileSync(new URL('../../routes.yaml', import.meta.url), 'utf8')

/** The shipped map on free ports, with the rig's issuer and without a key file. */
const shipped = ({ issuer }: { issuer: string }): string =>
  ROUTES.replaceAll(/\$\{LISTEN:-[^}]*\}|\$\{ADMIN_LISTEN:-[^}]*\}/g, '127.0.0.1:0').replaceAll(
    /\$\{ISSUER_URL:-[^}]*\}/g,
    issuer,
  )

describe.skipIf(lacksBrowser('Scope Reference and access matrix'))('in Chromium', SLOW, () => {
  let rig: Rig
  let browser: Browser
  let page: Page
  let base: string
  let asked: string[]
  let complaints: string[]

  beforeAll(async () => {
    rig = await startRig({ map: shipped })
    base = `http://127.0.0.1:${rig.port}`
    browser = await openBrowser({ viewport: { width: 1360, height: 900 } })
  })

  afterAll(async () => {
    await browser?.close()
    await rig?.close()
  })

  beforeEach(async () => {
    page?.removeAllListeners()
    await page?.close()
    page = await browser.context.newPage()
    asked = []
    complaints = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    return () => {
      // Nothing from elsewhere, and nothing that the Content-Security-Policy or the page itself would complain about.
      expect(asked.filter((url) => !url.startsWith(`${base}/scopes`))).toEqual([])
      expect(complaints).toEqual([])
    }
  })

  async function violations(on: Page): Promise<string[]> {
    // By the developer tools, which the page's Content-Security-Policy does not bind.
    await on.evaluate(AXE)
    const { violations: found } = await on.evaluate(() =>
      (
        globalThis as unknown as {
          axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
        }
      ).axe.run({ resultTypes: ['violations'] }),
    )
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
  }

  const focused = (on: Page) =>
    on.evaluate('document.activeElement.id || document.activeElement.textContent') as Promise<string>
  const width = (on: Page) => on.evaluate('document.documentElement.scrollWidth') as Promise<number>
  const isInView = (on: Page, selector: string) =>
    on.evaluate(
      `(() => { const { top } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect(); return top >= 56 && top < innerHeight })()`,
    )

  test('every scope of the catalogue, with its link', async () => {
    await page.goto(`${base}/scopes/`)
    expect(await page.locator('.scope').count()).toBe(40)
    expect(await page.locator('.totals dd').allTextContents()).toEqual(['40', '10', '12', '11'])
    const names = await page.locator('.scope .name').allTextContents()
    for (const name of ['patient/*.read', 'cms.fhir.r4.read', 'velocity.clearinghouse.claims.write']) {
      expect(names).toContain(name)
      const link = page.locator('.scope .name', { hasText: name }).first()
      await page.goto(`${base}/scopes/${await link.getAttribute('href')}`)
      expect(await page.locator('.scope:target .name').textContent()).toBe(name)
      expect(await isInView(page, '.scope:target')).toBe(true)
    }
  })

  test.each(['Control+k', 'Meta+k'])('%s, wear, Enter lands on the Prime Wearables scopes', async (keys) => {
    await page.goto(`${base}/scopes/`)
    await page.keyboard.press(keys)
    expect(await focused(page)).toBe('search-text')
    await page.keyboard.type('wear')
    expect(await page.locator('[role=option][aria-selected=true]').textContent()).toContain('Prime Wearables')
    await page.keyboard.press('Enter')
    expect(page.url()).toBe(`${base}/scopes/#category:prime-wearables`)
    expect(await page.locator('#search').isVisible()).toBe(false)
    expect(await focused(page)).toBe('category:prime-wearables')
    expect(await isInView(page, '[id="prime.ingest.write"]')).toBe(true)
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('prime.ingest.write')
  })

  test('the search by keyboard: arrows around both ends, Escape, nothing found', async () => {
    await page.goto(`${base}/scopes/`)
    await page.keyboard.press('Control+k')
    await page.keyboard.type('eligib')
    const input = page.locator('#search-text')
    const chosen = page.locator('[role=option][aria-selected=true]')
    expect(await chosen.textContent()).toContain('velocity.clearinghouse.eligibility')
    expect(await input.getAttribute('aria-activedescendant')).toBe(await chosen.getAttribute('id'))
    await input.fill('tefca')
    const last = await page.locator('[role=option]').last().textContent()
    await page.keyboard.press('ArrowUp')
    expect(await chosen.textContent()).toBe(last)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    expect(await chosen.textContent()).toContain('tefca.xcpd.read')
    await input.fill('zzzz')
    expect(await page.locator('[role=option]').count()).toBe(0)
    expect(await input.getAttribute('aria-expanded')).toBe('false')
    await page.keyboard.press('Enter')
    expect(await page.locator('#search').isVisible()).toBe(true)
    await page.keyboard.press('Escape')
    expect(await page.locator('#search').isVisible()).toBe(false)
    await page.locator('#search-open').click()
    await page.locator('[role=option]', { hasText: 'fhirUser' }).click()
    expect(page.url()).toBe(`${base}/scopes/#fhirUser`)
  })

  test('a scope is copied as it is written', async () => {
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base })
    await page.goto(`${base}/scopes/`)
    await page.getByRole('button', { name: 'Copy patient/*.read', exact: true }).click()
    await page.getByText('Copied patient/*.read').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('patient/*.read')
  })

  test('light and dark: the system’s choice, one’s own, kept', async () => {
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const [light, dark] = ['rgb(250, 250, 247)', 'rgb(18, 21, 20)']
    await page.emulateMedia({ colorScheme: 'light' })
    await page.goto(`${base}/scopes/`)
    const toggle = page.getByRole('button', { name: 'Dark theme' })
    expect(await ground()).toBe(light)
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await ground()).toBe(dark)
    expect(await toggle.getAttribute('aria-pressed')).toBe('true')
    await toggle.click()
    expect(await ground()).toBe(light)
    await page.goto(`${base}/scopes/matrix`)
    expect(await ground()).toBe(light)
    await toggle.click()
    expect(await ground()).toBe(dark)
    // The choice of the system is no choice of one's own.
    expect(await page.evaluate('localStorage.length')).toBe(0)
  })

  describe.each([
    ['desktop', { width: 1360, height: 900 }],
    ['phone', { width: 360, height: 740 }],
  ])('on a %s', (_, size) => {
    describe.each(['light', 'dark'] as const)('%s, axe-core finds nothing wrong with', (colorScheme) => {
      beforeEach(async () => {
        await page.setViewportSize(size)
        await page.emulateMedia({ colorScheme })
      })

      test('the reference', async () => {
        await page.goto(`${base}/scopes/`)
        expect(await violations(page)).toEqual([])
        expect(await width(page)).toBe(size.width)
      })

      test('the search', async () => {
        await page.goto(`${base}/scopes/`)
        await page.keyboard.press('Control+k')
        await page.keyboard.type('patient')
        expect(await violations(page)).toEqual([])
      })

      test('the access matrix, asked and not', async () => {
        await page.goto(`${base}/scopes/matrix`)
        expect(await violations(page)).toEqual([])
        await page.locator('#scope').fill('patient/*.rs patient/Observation.cruds cms.fhir.bundle.push nonsense merge')
        await page.getByRole('table').first().waitFor()
        await page.locator('summary').first().click()
        expect(await violations(page)).toEqual([])
        expect(await width(page)).toBe(size.width)
      })
    })
  })

  test('the matrix answers while one types, by keyboard alone', async () => {
    await page.goto(`${base}/scopes/matrix`)
    await page.locator('#scope').focus()
    await page.keyboard.type('patient/Observation.rs')
    await page.getByText('1 scope grants access.').waitFor()
    const cells = page.locator('tr', { hasText: 'Observation' }).first().locator('td')
    expect(await cells.allTextContents()).toEqual(['none', 'limitedpatient', 'none', 'none', 'limitedpatient'])
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowDown')
    expect(await page.locator('input[value=api-key]').isChecked()).toBe(true)
    await page.getByText('0 scopes grant access, 1 grants nothing.').waitFor()
    expect(page.url()).toBe(`${base}/scopes/matrix`)
  })

  test('a scope’s own link shows its matrix; a refusal is said', async () => {
    await page.goto(`${base}/scopes/#cms.fhir.bundle.push`)
    await page.locator('[id="cms.fhir.bundle.push"]').getByRole('link', { name: 'By resource type' }).click()
    await page.getByText('1 scope grants access.').waitFor()
    expect(await page.locator('#scope').inputValue()).toBe('cms.fhir.bundle.push')
    expect(await page.locator('tbody td').first().textContent()).toBe('fullin Bundle')
    await page.locator('#scope').fill(Array.from({ length: 21 }, (_, i) => `system/*.rs?_id=${i}`).join(' '))
    await page.getByText('Up to 20 scopes for every type').waitFor()
    complaints = complaints.filter((text) => !text.includes('400'))
  })

  test('without scripts all is there, and the form works', async () => {
    const plain = await openBrowser({ javaScriptEnabled: false })
    try {
      const bare = await plain.context.newPage()
      await bare.goto(`${base}/scopes/`)
      expect(await bare.locator('.scope').count()).toBe(40)
      expect(await bare.locator('#search-open').isVisible()).toBe(false)
      expect(await bare.locator('.copy').first().isVisible()).toBe(false)
      await bare.getByRole('link', { name: 'Access matrix', exact: true }).click()
      await bare.locator('#scope').fill('system/Patient.read')
      await bare.getByRole('button', { name: 'Show access' }).click()
      expect(await bare.locator('#summary').textContent()).toBe('1 scope grants access.')
      expect(await bare.locator('tbody th').first().textContent()).toBe('Patient')
    } finally {
      await plain.close()
    }
  })

  test('on paper there is the reference and nothing to press', async () => {
    await page.goto(`${base}/scopes/`)
    await page.emulateMedia({ media: 'print' })
    for (const hidden of ['.bar', '.categories', '.copy']) {
      expect(await page.locator(hidden).first().isVisible()).toBe(false)
    }
    expect(await page.locator('.scope').last().isVisible()).toBe(true)
    await page.emulateMedia({ media: null })
  })
})
