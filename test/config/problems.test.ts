import { describe, expect, test } from 'vitest'
import { mapWith, mapWithFhirKey, mapWithRoute, ref, said } from './support/maps.ts'

test('ten different mistakes print ten places, sorted', () => {
  const { problems } = said(`version: 2
server:
  listen: localhost
  limits: { boddy: 10MiB }
  timeouts: { idle: 10 sec }
issuers:
  - { issuer: http://ehr.example.org, audience: [x], discovery: true, algorithms: [HS256] }
upstreams:
  hapi: { url: ftp://127.0.0.1 }
scopes:
  Products:
    product.read: { credentials: [cookie] }
routes:
  - { fhir: R4, path: /fhir, upstream: happi, smart: yes please }
  - { fhir: R4, path: /fhir, upstream: hapi }
`)
  expect(problems.map((line) => line.replace(/^(routes\.yaml:\d+:\d+): .*$/, '$1'))).toEqual([
    'routes.yaml:1:10',
    'routes.yaml:3:11',
    'routes.yaml:4:13',
    'routes.yaml:5:21',
    'routes.yaml:7:15',
    'routes.yaml:7:84',
    'routes.yaml:9:16',
    'routes.yaml:12:35',
    'routes.yaml:14:40',
    'routes.yaml:14:54',
    'routes.yaml:15:23',
  ])
})

describe('each mistake says what, where and what to write', () => {
  test.each([
    [
      'unknown key, near',
      mapWithFhirKey('trustNarowing: true'),
      'unknown key "trustNarowing"; did you mean "trustNarrowing"?',
    ],
    [
      'unknown key, far',
      mapWith({ replace: ['url: http', 'retries: 3, url: http'] }),
      'unknown key "retries"; known: timeout, connectTimeout',
    ],
    ['unknown section', mapWith({ append: 'upstream: {}\n' }), '13:1: unknown key "upstream"'],
    ['prototype key', mapWith({ append: '__proto__: {}\n' }), 'unknown key "__proto__"'],
    [
      'missing key',
      mapWith({ replace: ['audience: [http://127.0.0.1:8080/fhir], ', ''] }),
      '4:5: missing key "audience"',
    ],
    [
      'no version',
      mapWith({ replace: ['version: 1', ''] }),
      'missing key "version": Version of this format, written `version: 1`',
    ],
    [
      'shared type',
      mapWithFhirKey('patientScopes: { sharedTypes: [Practioner] }'),
      '"Practioner" is no resource type of FHIR R4, R4B or R5; did you mean "Practitioner"?',
    ],
    [
      'type of a grant',
      mapWithFhirKey('grants: { product.read: system/Observaton.rs }'),
      'did you mean "Observation"?',
    ],
    [
      'type of a grant among others',
      mapWithFhirKey('grants: { product.read: { scope: "system/*.rs system/Patinet.rs" } }'),
      '"Patinet" is no resource type',
    ],
    [
      'type that an operation needs',
      mapWithFhirKey('operations: { $match: { requires: Patinet.s } }'),
      '12:105: "Patinet" is no resource type',
    ],
    [
      'type of an operation',
      mapWithFhirKey('operations: { Patinet/$match: { requires: Patient.s } }'),
      '"Patinet" is no',
    ],
    ['indentation', 'version: 1\n  server: {}\n', 'indentation differs from that of the lines around it'],
    ['no blank behind a colon', 'version:1\nserver: {}\n', 'a colon with a space behind it is missing'],
    ['reserved character', mapWith({ append: 'cors: @x\n' }), 'needs quotes around it'],
    ['no value', mapWithFhirKey('path2: 1, mode:'), '"mode" has no value'],
    [
      'duration',
      mapWith({ replace: ['8101/fhir', '8101/fhir, timeout: 10 sec'] }),
      'expected a duration such as 500ms, 10s, 5m, 1h or 90d',
    ],
    ['no time at all', mapWith({ replace: ['8101/fhir', '8101/fhir, timeout: 0s'] }), 'got "0s"'],
    ['longer than timers', mapWith({ replace: ['8101/fhir', '8101/fhir, timeout: 25d'] }), 'less than 25 days'],
    [
      'size',
      mapWith({ replace: ['8080 }', '8080, limits: { body: 10MB } }'] }),
      'expected a size such as 64KiB or 10MiB',
    ],
    [
      'number',
      mapWith({ replace: ['8080 }', '8080, limits: { bundleEntries: lots } }'] }),
      'expected a whole number of at least 1, got "lots"',
    ],
    ['switch', mapWithFhirKey('sealPages: on'), 'expected true or false, got "on"'],
    ['list', mapWith({ replace: ['[http://127.0.0.1:8080/fhir]', '[]'] }), 'expected at least one item'],
    ['choice', mapWithFhirKey('userScopes: deligate'), 'got "deligate"; did you mean "delegate"?'],
    ['FHIR version', mapWith({ replace: ['fhir: R4', 'fhir: R3'] }), 'expected one of R4, R4B, R5, got "R3"'],
    [
      'union of texts',
      mapWithFhirKey('authorization: pass'),
      'expected none, passthrough, { bearer: … } or { clientCredentials: … }, got "pass"',
    ],
    ['union of maps', mapWithFhirKey('authorization: { bearer: 1 }'), 'got a value that is not shown'],
    [
      'neither kind of route',
      mapWithRoute('{ upstream: hapi }'),
      'expected a route with `fhir` and `path`, or with `match`',
    ],
    [
      'only the branch that is meant',
      mapWithRoute('{ upstream: hapi, fhri: R4, path: /r5, smart: true }'),
      'missing key "fhir"',
    ],
    [
      'public URL with a query',
      mapWith({ replace: ['8080 }', '8080, publicUrl: "https://a.example.org?x" }'] }),
      'without user name, query or fragment',
    ],
    [
      'user name in a URL',
      mapWith({ replace: ['http://127.0.0.1:8101', 'http://me:secret@127.0.0.1:8101'] }),
      'without user name',
    ],
    ['symmetric algorithm', mapWith({ replace: ['jwks: h', 'algorithms: [none], jwks: h'] }), 'expected one of RS256'],
    [
      'issuer over http',
      mapWith({ replace: ['issuer: https:', 'issuer: http:'] }),
      'http is accepted on loopback only',
    ],
    ['keys over http', mapWith({ replace: ['jwks: https:', 'jwks: http:'] }), 'http is accepted on loopback only'],
    ['two sources of keys', mapWith({ replace: ['jwks: h', 'discovery: true, jwks: h'] }), 'several sources of keys'],
    ['no source of keys', mapWith({ replace: ['jwks: h', 'discovery: false, typ: [JWT] } #'] }), 'no keys'],
    [
      'upstream',
      mapWith({ replace: ['upstream: hapi', 'upstream: hapy'] }),
      'upstream "hapy" is not defined; did you mean "hapi"?',
    ],
    ['issuer', mapWithFhirKey('issuers: [her]'), 'issuer "her" is not defined; did you mean "ehr"?'],
    [
      'granted scope',
      mapWithFhirKey('grants: { product.red: "system/*.rs" }'),
      'scope "product.red" is not in the catalogue (scopes); did you mean "product.read"?',
    ],
    [
      'worth',
      mapWithFhirKey('grants: { product.read: "system/*.sr" }'),
      'expected a SMART scope such as system/*.rs, got "system/*.sr"',
    ],
    ['worth in full', mapWithFhirKey('grants: { product.read: { scope: "*.rs" } }'), 'expected a SMART scope'],
    [
      'door',
      mapWithFhirKey('grants: { product.read: { scope: "system/*.rs", via: [web] } }'),
      'expected one of rest, bundle, operation, bulk',
    ],
    [
      'required scope',
      mapWithRoute('{ upstream: hapi, match: { GET /x: product.reed } }'),
      'scope "product.reed" is not in the catalogue',
    ],
    [
      'one of required scopes',
      mapWithRoute('{ upstream: hapi, match: GET /x, requires: { allOf: [product.read, no.such] } }'),
      'scope "no.such"',
    ],
    [
      'no required scope',
      mapWithRoute('{ upstream: hapi, match: GET /x, requires: { allOf: [] } }'),
      'expected at least one item',
    ],
    [
      'requires without a scope',
      mapWithRoute('{ upstream: hapi, match: GET /x, requires: {} }'),
      'expected a scope, public',
    ],
    ['match without requires', mapWithRoute('{ upstream: hapi, match: GET /x }'), 'missing key "requires"'],
    [
      'requires twice',
      mapWithRoute('{ upstream: hapi, match: { GET /x: public }, requires: public }'),
      'each line of `match`',
    ],
    ['no line', mapWithRoute('{ upstream: hapi, match: {} }'), 'expected at least one line'],
    ['line', mapWithRoute('{ upstream: hapi, match: { FETCH /x: public } }'), 'expected a method and a path'],
    [
      'star in the middle',
      mapWithRoute('{ upstream: hapi, match: { GET /x/*/y: public } }'),
      'expected a method and a path',
    ],
    [
      'dots in a path',
      mapWithRoute('{ upstream: hapi, match: { GET /x/../y: public } }'),
      'expected a method and a path',
    ],
    ['encoded path', mapWith({ replace: ['path: /fhir', 'path: /fh%69r'] }), 'expected a path such as /fhir/R4'],
    ['shape of an operation', mapWithFhirKey('operations: { everything: { bulk: true } }'), 'expected a URL shape'],
    [
      'type without a place',
      mapWithFhirKey('operations: { $x: { requires: "{type}.r" } }'),
      '{type} stands for the type in the URL',
    ],
    ['operation scope', mapWithFhirKey('operations: { $x: { requires: { scope: no.such } } }'), 'scope "no.such"'],
    ['bulk elsewhere', mapWithFhirKey('operations: { $x: { bulk: true } }'), '`bulk: true` is for $export only'],
    [
      'an export with a rule',
      mapWithFhirKey('operations: { Patient/$export: { requires: Patient.rs } }'),
      '$export derives what it needs',
    ],
    ['bulk: false', mapWithFhirKey('operations: { $x: { bulk: false } }'), 'only `bulk: true` means something'],
    [
      'shared compartment type',
      mapWithFhirKey('patientScopes: { sharedTypes: [Location, Observation] }'),
      'Observation cannot be shared',
    ],
    ['shared container', mapWithFhirKey('patientScopes: { sharedTypes: [Binary] }'), 'Binary cannot be shared'],
    ['reserved header', mapWithFhirKey('identityHeaders: { user: Authorization }'), 'expected a header name'],
    ['header twice', mapWithFhirKey('identityHeaders: { user: X-U, subject: x-u }'), 'is in use already'],
    ['key header', mapWithFhirKey('identityHeaders: { user: x-api-key }'), 'is in use already'],
    ['date', mapWithFhirKey('mode: { observe: { until: 2027-02-30 } }'), 'expected a date such as 2027-01-31'],
    [
      'scope twice by meaning',
      mapWith({ replace: ['  Products:', '  SMART:\n    system/*.read: {}\n    system/*.rs: {}\n  Products:'] }),
      'is in the catalogue already, under "SMART"',
    ],
    [
      'a scope called public',
      mapWith({ replace: ['product.write:', 'public:'] }),
      '"public" means without any credential',
    ],
    [
      'route name twice',
      mapWithRoute('{ name: fhir, upstream: hapi, match: GET /x, requires: public }'),
      'another route is called "fhir" too',
    ],
    [
      'path of the gateway',
      mapWithRoute('{ fhir: R4, path: /.well-known/x, upstream: hapi }'),
      'belong to the gateway',
    ],
    ['free port without a public URL', mapWith({ replace: [':8080 }', ':0 }'] }), 'publicUrl must be written'],
    [
      'one port for two',
      mapWith({ replace: ['8080 }', '8080, admin: 127.0.0.1:8080 }'] }),
      'the admin port must be another',
    ],
    [
      'network',
      mapWith({ replace: ['8080 }', '8080, trustedProxies: [10.0.0.0/64] }'] }),
      'expected an IP address or a network',
    ],
  ])('%s', (_, text, expected) => {
    const { problems } = said(text)
    expect(problems.join('\n')).toContain(expected)
    expect(problems.length).toBeLessThanOrEqual(2)
  })
})

describe('several issuers', () => {
  const second =
    '  - { name: two, issuer: https://two.example.org, audience: [x], discovery: true, mayGrant: ["system/*"] }\nupstreams:'
  const two = mapWith({ replace: ['upstreams:', second] })

  test('each says what it may grant, and each route whose tokens count', () => {
    expect(said(two).problems).toEqual([
      'routes.yaml:4:5: missing key "mayGrant": with several issuers, each must say which scopes it may mint',
      'routes.yaml:13:5: missing key "issuers": with several issuers, a route must say whose tokens count',
    ])
  })

  test('a route that no token opens needs no issuers', () => {
    const keys = '    keys.only: { credentials: [service-key] }\nroutes:'
    const text = two
      .replace('jwks: h', 'mayGrant: [openid], jwks: h')
      .replace('smart: true', 'smart: true, issuers: [ehr]')
      .replace('routes:', keys)
    const route = (requires: string) => `${text}  - { upstream: hapi, match: GET /x, requires: ${requires} }\n`
    expect(said(route('public')).problems).toEqual([])
    expect(said(route('keys.only')).problems).toEqual([])
    expect(said(route('{ anyOf: [keys.only, product.read] }')).problems.join()).toContain('missing key "issuers"')
  })

  test('names differ', () => {
    expect(said(two.replace('name: two', 'name: ehr')).problems.join()).toContain('another issuer is called "ehr" too')
  })
})

describe('YAML itself', () => {
  test.each([
    [
      'a key twice, and the rest is still checked',
      'version: 1\nversion: 1\nserver: {}\n',
      ['2:1: this key is here twice', '3:1: missing key "listen"'],
    ],
    ['an anchor', 'version: &v 1\n', ['1:13: anchors are not allowed']],
    ['an alias', 'version: &v 1\nroutes: *v\n', ['2:9: aliases are not allowed']],
    ['a tag', 'version: !int 1\na: !!binary aaaa\n', ['1:15: tags are not allowed', '2:13: tags are not allowed']],
    ['a tab', 'server:\n\tlisten: x\n', ['2:1: tabs cannot indent YAML']],
    ['two documents', 'version: 1\n---\nversion: 1\n', ['2:1: a route map is one document']],
    ['a list as key', '? [1]\n: 2\n', ['1:3: a key must be a plain text']],
    ['a key from the environment', `${ref('A:-version')}: 1\n`, ['1:1: keys take nothing from the environment']],
    ['an open quote', 'version: "1\n', ['Missing closing']],
    ['a reference without quotes', `server: { listen: ${ref('L:-127.0.0.1:80')} }\n`, ['needs quotes around it']],
    [
      'a template without quotes',
      'match: { GET /a/{id}: public }\n',
      ['1:17: ', 'a path with { } of its own needs quotes'],
    ],
    ['nothing', '', ['1:1: expected a map with version, server']],
    ['a text', 'hello', ['1:1: expected a map']],
    ['nothing under routes', 'version: 1\nroutes:\n', ['"routes" has no value', 'missing key "server"']],
  ])('%s', (_, text, expected) => {
    const all = said(text).problems.join('\n')
    for (const part of expected) expect(all).toContain(part)
  })
})
