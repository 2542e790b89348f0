// `http-proxy-3.ts UPSTREAM`: http-proxy-3 with a keep-alive agent, forwarding only.

import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createProxyServer } from 'http-proxy-3'

const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const proxy = createProxyServer({ target: new URL(process.argv[2]!).origin, agent, xfwd: false })
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502)
  response.end()
})
const server = createServer((request, response) => {
  request.url = request.url!.replace('/fhir/R4', '/fhir')
  proxy.web(request, response)
})
server.listen(0, '127.0.0.1', () => {
  console.error(`http-proxy-3 listens on http://127.0.0.1:${(server.address() as AddressInfo).port},`)
})
