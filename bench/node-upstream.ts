// `node-upstream.ts PORT FILE`: answers everything with the bytes of the file.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const body = readFileSync(process.argv[3]!)
const headers = ['content-type', 'application/fhir+json', 'content-length', String(body.length)]
createServer({ keepAliveTimeout: 3_600_000 }, (_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
}).listen(Number(process.argv[2]), '127.0.0.1')
