import { describe, expect, test } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import { printEffective } from '../../src/config/print.ts'
import { mapWith, mapWithFhirKey, ref, sample, settingsFrom } from './support/maps.ts'

function printed(text: string, env: Record<string, string> = {}): string {
  const loaded = loadRouteMap(text, { file: 'routes.yaml', env })
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  return printEffective(loaded)
}

describe('the effective map', () => {
  test.each(['minimal', 'plain', 'several'] as const)(
    'of "%s" loads to the same settings, and prints itself',
    (name) => {
      const once = printed(sample(name), { NEXUS_TOKEN: 't' })
      expect(settingsFrom(once, { NEXUS_TOKEN: 't' })).toEqual(settingsFrom(sample(name), { NEXUS_TOKEN: 't' }))
      expect(printed(once, { NEXUS_TOKEN: 't' })).toBe(once)
    },
  )

  test('says what is left out', () => {
    const text = printed(sample('minimal'))
    for (const line of [
      'publicUrl: http://127.0.0.1:8080',
      'bundleEntries: 10000',
      'maxLifetime: 24h',
      'userScopes: delegate',
      'user: X-Auth-FhirUser',
    ]) {
      expect(text).toContain(line)
    }
  })

  test('never shows a secret, whether written out, from the environment, or as a default', () => {
    const bearer = (value: string) => mapWithFhirKey(`authorization: { bearer: "${value}" }`)
    expect(printed(bearer('hunter2'))).toContain('bearer: "***"')
    expect(printed(bearer(`${ref('TOKEN')}`), { TOKEN: 'hunter2' })).toContain(`bearer: ${ref('TOKEN')}`)
    expect(printed(bearer(`${ref('TOKEN:-hunter2')}`))).toContain(`bearer: ${ref('TOKEN')}`)
    for (const [value, env] of [
      ['hunter2', {}],
      [`${ref('TOKEN')}`, { TOKEN: 'hunter2' }],
      [`${ref('TOKEN:-hunter2')}`, {}],
      [`x hunter2 ${ref('T:-')}`, {}],
    ] as const) {
      expect(printed(bearer(value), env)).not.toContain('hunter2')
    }
  })

  test('shows what else came from the environment', () => {
    expect(printed(mapWith({ replace: ['127.0.0.1:8080 }', `"${ref('L')}" }`] }), { L: '127.0.0.1:1' })).toContain(
      'listen: 127.0.0.1:1\n',
    )
  })
})
