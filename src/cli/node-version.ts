// Older Nodes lack security fixes that the gateway relies on (docs/decisions/0006), so it does not start on them.

const FLOOR = [24, 18, 1] as const

export function refuseOldNode(version = process.versions.node): void {
  if (isOlder(version)) {
    console.error(
      `scopegate needs Node ${FLOOR.join('.')} or newer, and this is ${version}. In a checkout, \`npm run …\` uses the Node that \`npm ci\` installs.`,
    )
    process.exit(1)
  }
}

export function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number)
  const differs = FLOOR.findIndex((floor, index) => (parts[index] ?? 0) !== floor)
  return differs >= 0 && (parts[differs] ?? 0) < FLOOR[differs]!
}
