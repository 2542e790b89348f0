// Rules for `server:` that bind its keys to each other.
import { isLoopback, parseAddress } from '../schema/address.ts'
import type { Report } from '../source/problem.ts'
import type { Draft } from './draft.ts'

export function checkServer({ server }: Draft, report: Report, warn: Report): void {
  const listen = server?.listen === undefined ? undefined : parseAddress(server.listen)
  if (listen === undefined) return
  const { publicUrl } = server ?? {}
  if (publicUrl === undefined && listen.port === 0) {
    report(
      ['server', 'listen'],
      'port 0 takes a free port, so publicUrl must be written: clients could not be told otherwise',
    )
  } else if (publicUrl === undefined && !isLoopback(listen.host)) {
    warn(
      ['server'],
      'publicUrl is not written: challenges, links and audiences will name the address to listen on',
      'key',
    )
  }
  if (publicUrl?.startsWith('http:') && !isLoopback(publicUrl)) {
    warn(
      ['server', 'publicUrl'],
      'clients would send their tokens in clear over http; use https, by tls or a proxy in front',
    )
  }
  const admin = typeof server?.admin === 'string' ? server.admin : (server?.admin?.listen ?? '127.0.0.1:9090')
  if (listen.port !== 0 && admin === server?.listen)
    report(['server', 'admin'], 'the admin port must be another than the public one')
  checkAdminToken(server, warn)
  if (typeof server?.admin === 'object' && server.admin.clientCa !== undefined) {
    if (server.tls === undefined && server.admin.tls === undefined) {
      report(
        ['server', 'admin', 'clientCa'],
        'client certificates need TLS; give the admin port tls: { cert, key }, or the server tls, whose certificate it then takes',
      )
    }
  }
  for (const [index, network] of (server?.trustedProxies ?? []).entries()) {
    if (!network?.endsWith('/0')) continue
    warn(
      ['server', 'trustedProxies', index],
      'every client is believed about its own address; name the networks of your proxies only',
    )
  }
  if (server?.tls?.clientCertificates !== undefined && server.tls.clientCa === undefined) {
    report(['server', 'tls', 'clientCertificates'], 'without clientCa no certificate is asked for; name the CA', 'key')
  }
  if (server?.tls !== undefined && publicUrl?.startsWith('http:')) {
    report(['server', 'publicUrl'], 'the port speaks TLS, so clients call it by https; write an https URL')
  }
}

function checkAdminToken(server: Draft['server'], warn: Report): void {
  if (typeof server?.admin !== 'object') return
  const { listen = '', token, tls, clientCa } = server.admin
  const host = parseAddress(listen)?.host ?? '127.0.0.1'
  if (!token || isLoopback(host) || tls !== undefined || clientCa !== undefined) return
  warn(
    ['server', 'admin', 'token'],
    'the token would cross the network in clear; give the admin port tls: { cert, key }, or let it listen on 127.0.0.1',
  )
}
