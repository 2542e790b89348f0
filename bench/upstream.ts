// The server behind all gateways: nginx where there is one (Debian package `nginx`), else node:http in a process of its own. It answers
// every request with the same searchset and never closes a connection by itself.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UPSTREAM_BASE } from './searchset.ts'

export interface BenchUpstream {
  readonly url: string
  readonly kind: 'nginx' | 'node'
  stop(): Promise<void>
}

const { port } = new URL(UPSTREAM_BASE)

export async function startUpstream(body: Buffer): Promise<BenchUpstream> {
  const directory = mkdtempSync(join(tmpdir(), 'scopegate-bench-'))
  const file = join(directory, 'searchset.json')
  writeFileSync(file, body)
  const kind = spawnSync('nginx', ['-v']).error === undefined ? 'nginx' : 'node'
  const child =
    kind === 'nginx'
      ? startNginx(directory)
      : spawn(process.execPath, [join(import.meta.dirname, 'node-upstream.ts'), port, file])
  await accepts(child)
  return {
    url: UPSTREAM_BASE,
    kind,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function startNginx(directory: string): ChildProcess {
  const configuration = `
    daemon off; worker_processes 1; pid ${directory}/pid; error_log stderr crit;
    events { worker_connections 1024; }
    http {
      access_log off; sendfile off; open_file_cache max=10; keepalive_requests 1000000000; keepalive_timeout 1h; etag off;
      client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
      uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
      server { listen 127.0.0.1:${port}; root ${directory}; default_type application/fhir+json;
        types { } location / { rewrite ^ /searchset.json break; } }
    }`
  writeFileSync(join(directory, 'nginx.conf'), configuration)
  // Files of root are not for other users to read: as root, the worker must stay root too.
  const user = process.getuid?.() === 0 ? ['-g', 'user root;'] : []
  return spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf'), ...user], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function accepts(child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`the upstream ended with ${child.exitCode}: is port ${port} taken?`)
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the upstream did not start')
}
