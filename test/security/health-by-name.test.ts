// oauth2-proxy CVE-2026-34457: whoever called itself a health checker got through. Health is told on the admin port; the public one has
// no path, name or address that opens anything.

import { test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()

test.each(['GoogleHC/1.0', 'ELB-HealthChecker/2.0', 'kube-probe/1.31', 'Prometheus/2.42'])('%s', async (agent) => {
  for (const target of ['/app/x', '/fhir/R4/Patient/p1']) {
    const fields = [`User-Agent: ${agent}`, 'X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1']
    await border.refused(requestText(`GET ${target}`, fields), '401 token-missing')
  }
})

test.each([
  '/health',
  '/health/live',
  '/health/ready',
  '/healthz',
  '/ready',
  '/ping',
  '/metrics',
  '/explain',
  '/reload',
])('%s', async (target) => {
  await border.refused(requestText(`GET ${target}`), '404 route-unknown')
})
