// The log line of one request, put together by hand because there is one for every request. What may stand in it is this list
// and nothing else: names of parameters but no values, no ids of resources, no token, no body, no address of the client.

import type { TunnelReport } from '../proxy/web-socket/tunnel.ts'
import type { Finished } from './record.ts'

/** Letters only: an id or a token that a client put where a name belongs has digits, and stays out. */
const PARAMETER_NAME = /^[_$]?[A-Za-z][A-Za-z_.:-]{0,47}$/
const MOST_NAMES = 20
/** The methods that Node's parser knows are words; whatever else came is not repeated. */
const METHOD = /^[A-Z-]{1,20}$/

export function printRequestLine(finished: Finished, level: string, time: string): string {
  const { id, route, method, interaction, outcome, code, status, upstream, upstreamMs, totalMs, bytes, issuer } =
    finished
  let line = `{"level":"${level}","time":"${time}","requestId":${JSON.stringify(id)},"route":${JSON.stringify(route)}`
  line += `,"method":"${METHOD.test(method) ? method : '?'}","interaction":${JSON.stringify(interaction)}`
  line += `,"outcome":"${outcome}"`
  if (code !== undefined) line += `,"code":"${code}"`
  line += `,"status":${status},"durationMs":${round(totalMs)}`
  if (upstreamMs !== undefined) line += `,"upstreamMs":${round(upstreamMs)}`
  if (finished.lasts !== true) line += `,"ownMs":${round(Math.max(0, totalMs - (upstreamMs ?? 0)))}`
  line += `,"bytes":${bytes}`
  if (finished.webSocket !== undefined) line += printWebSocket(finished.webSocket)
  if (upstream !== undefined) line += `,"upstream":${JSON.stringify(upstream)}`
  if (issuer !== undefined) line += `,"issuer":${JSON.stringify(issuer)}`
  if (finished.parameterNames.length > 0) line += `,"parameters":${printNames(finished.parameterNames)}`
  return `${line},"msg":"request"}\n`
}

function printWebSocket({ endedBy, code, fromClient, fromUpstream }: TunnelReport): string {
  const closed = code === undefined ? '' : `,"code":${code}`
  const client = `"bytesFromClient":${fromClient.bytes},"messagesFromClient":${fromClient.messages}`
  const upstream = `"bytesFromUpstream":${fromUpstream.bytes},"messagesFromUpstream":${fromUpstream.messages}`
  return `,"webSocket":{"endedBy":"${endedBy}"${closed},${client},${upstream}}`
}

function printNames(names: readonly string[]): string {
  let list = ''
  for (let i = 0; i < names.length && i < MOST_NAMES; i++) {
    list += `${i === 0 ? '' : ','}"${PARAMETER_NAME.test(names[i]!) ? names[i] : '?'}"`
  }
  return names.length > MOST_NAMES ? `[${list},"…"]` : `[${list}]`
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
