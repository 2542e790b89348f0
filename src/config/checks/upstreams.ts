// Rules inside one upstream: TLS keys that belong together, and that there is TLS at all; waits that contradict each other.
import { parseDuration } from '../schema/duration.ts'
import type { Path, Report } from '../source/problem.ts'
import { type Draft, placedByName, placedOneOrMany } from './draft.ts'

type UpstreamDraft = NonNullable<NonNullable<Draft['upstreams']>[string]>

export function checkUpstreams({ upstreams }: Draft, report: Report): void {
  for (const [, upstream, path] of placedByName(upstreams, ['upstreams'])) {
    checkTls(upstream, path, report)
    checkTimes(upstream, path, report)
  }
}

function checkTls({ url, tls }: UpstreamDraft, path: Path, report: Report): void {
  if (tls === undefined) return
  for (const [each, at] of placedOneOrMany(url, [...path, 'url'])) {
    if (each.startsWith('http:')) report(at, 'this URL is http, so nothing of `tls` would hold; write https')
  }
  const { cert, key } = tls
  if (cert !== undefined && key === undefined) report([...path, 'tls', 'cert'], 'a certificate needs its `key`')
  if (key !== undefined && cert === undefined) report([...path, 'tls', 'key'], 'a key needs its certificate, `cert`')
}

function checkTimes({ ejection }: UpstreamDraft, path: Path, report: Report): void {
  const { time = '10s', longest = '5m' } = ejection ?? {}
  if (ejection !== undefined && (parseDuration(time) ?? 0) > (parseDuration(longest) ?? Infinity)) {
    report([...path, 'ejection'], 'time must not be more than longest')
  }
}
