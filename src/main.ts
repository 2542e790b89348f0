#!/usr/bin/env node
// The command line (contract §2): reads the words and hands over; each command is a file in cli/, loaded when it is named, because
// a probe that runs every few seconds should not load a gateway.

import { readFileSync } from 'node:fs'
import { CONFIG, readWords as read, UsageError } from './cli/command-line.ts'
import { refuseOldNode } from './cli/node-version.ts'
import type { CredentialKind } from './domain/grant.ts'

const USAGE = `scopegate: a FHIR-aware API gateway that enforces SMART scopes and explains every decision

  serve                     run the gateway
  check [--effective]       validate the route map; with --effective print it with every default
  explain [--scope "S…"] [--patient ID] [--fhir-user REF] [--credential bearer|api-key|service-key] [--issuer NAME]
          [--token-file F] [-H 'Name: value']… [--body F] [--stored F] METHOD TARGET [--json]
                            decide one request offline and say why (exit code 0 permitted, 3 denied)
  keys create --kind api-key|service-key --owner NAME --scope "S…" [--expires 90d] [--self-service]
  keys list | keys rotate ID [--overlap 7d] | keys revoke ID
                            manage API keys and service keys; all take [--file keys.yaml] [--json]
  demo [--ports N]          everything embedded, on loopback; N is added to every port
  healthcheck               ask the admin port of a running gateway

Every command takes --config FILE (default: routes.yaml). --version prints the version.`

const CREDENTIALS: readonly string[] = ['bearer', 'api-key', 'service-key']
/** The demo's highest port is the admin port, 9090. */
const MOST_PORTS = 65_535 - 9_090

async function run([command, ...words]: readonly string[]): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    console.log(USAGE)
    return 0
  }
  switch (command) {
    case 'serve': {
      const { values } = read(words, CONFIG)
      return (await import('./cli/serve.ts')).runServe(values.config)
    }
    case 'check': {
      const { values } = read(words, { ...CONFIG, effective: { type: 'boolean', default: false } })
      return (await import('./cli/check.ts')).check(values.config, { effective: values.effective })
    }
    case 'explain':
      return explain(words)
    case 'keys':
      return (await import('./cli/keys.ts')).runKeys(words)
    case 'demo': {
      const { values } = read(words, { ...CONFIG, ports: { type: 'string', default: '0' } })
      if (!/^\d{1,5}$/.test(values.ports) || Number(values.ports) > MOST_PORTS) {
        throw new UsageError(`--ports takes a number from 0 to ${MOST_PORTS} that is added to every port`)
      }
      return (await import('./cli/demo.ts')).runDemo({ config: values.config, ports: Number(values.ports) })
    }
    case 'healthcheck': {
      const { values } = read(words, CONFIG)
      return (await import('./cli/healthcheck.ts')).runHealthcheck(values.config)
    }
    case '--version':
    case '-v':
      console.log(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version)
      return 0
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      console.log(USAGE)
      return command === undefined ? 2 : 0
    default:
      throw new UsageError(`there is no command "${command}"`)
  }
}

async function explain(words: readonly string[]): Promise<number> {
  const { values, positionals } = read(
    words,
    {
      ...CONFIG,
      scope: { type: 'string' },
      patient: { type: 'string' },
      'fhir-user': { type: 'string' },
      credential: { type: 'string' },
      issuer: { type: 'string' },
      'token-file': { type: 'string' },
      header: { type: 'string', short: 'H', multiple: true, default: [] },
      body: { type: 'string' },
      stored: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
    true,
  )
  const [method, target, ...more] = positionals
  if (method === undefined || target === undefined || more.length > 0)
    throw new UsageError('explain takes METHOD TARGET')
  const { credential } = values
  if (credential !== undefined && !CREDENTIALS.includes(credential)) {
    throw new UsageError(`--credential takes one of ${CREDENTIALS.join(', ')}`)
  }
  const { runExplain } = await import('./cli/explain.ts')
  return runExplain({
    ...values,
    method: method.toUpperCase(),
    target,
    fhirUser: values['fhir-user'],
    credential: credential as CredentialKind | undefined,
    tokenFile: values['token-file'],
    headers: values.header,
    bodyFile: values.body,
    storedFile: values.stored,
  })
}

refuseOldNode()
run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`)
    else console.error(error)
    process.exitCode = error instanceof UsageError ? 2 : 1
  },
)
