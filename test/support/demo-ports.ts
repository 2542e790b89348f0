// Where a demo of one's own can run: a number to add to every port of the demo (contract §2) that no other demo or test uses.

import { freePorts, isOpen } from './command.ts'

export const DEMO_PORTS: readonly number[] = [8080, 8089, 9090, ...Array.from({ length: 10 }, (_, i) => 8100 + i)]

export async function freeShift(): Promise<number> {
  for (;;) {
    // Below the ports that connections are given.
    const shift = ((await freePorts(1))[0]! % 12_000) + 10_000
    if (!(await Promise.all(DEMO_PORTS.map((port) => isOpen(port + shift)))).includes(true)) return shift
  }
}
