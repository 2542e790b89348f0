// Bodies stream through buffers that live for a moment, and V8 lets tens of megabytes of dead ones pile up before it looks: its young
// generation grows with the traffic. Bounded to a few megabytes, a body of any size passes in a flat amount of memory, and requests
// get no dearer (measured: `npm run bench`), because what is used again is still in the processor's cache.

import { setFlagsFromString } from 'node:v8'

/** For the whole process; before the heap has grown. */
export function boundYoungGeneration(): void {
  setFlagsFromString('--scavenger-max-new-space-capacity-mb=1')
}
