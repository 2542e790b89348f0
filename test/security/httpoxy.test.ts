// CGI programs find a field named `Proxy` as HTTP_PROXY, and many an HTTP client takes that for its proxy (CVE-2016-5385).

import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { requestText } from '../support/raw-socket.ts'

const border = useBorder()

test('it does not arrive, on any route', async () => {
  for (const target of ['/app/x', '/app/public/x', '/fhir/R4/Patient/p1']) {
    border.upstream.reset()
    const { bytes } = await border.passed(
      requestText(`GET ${target}`, [border.authorization, 'Proxy: http://evil.example']),
    )
    expect(bytes).not.toMatch(/^proxy:|evil/im)
  }
})
