// A worker as the gateway's are: it takes from the bucket that its primary keeps, and tells what came back.

import { StateOfPrimary } from '../../../src/state/of-primary.ts'

const state = new StateOfPrimary({ channel: process, timeout: Number(process.argv[2]) })
const rate = { requests: 5, per: 3_600_000 }

process.on('message', async (message) => {
  if (message?.go === undefined) return
  const told = await Promise.allSettled(
    message.go.map((name) => (message.once ? state.once(name, 60_000, name.split(' ')[0]) : state.take(name, rate))),
  )
  process.send({ told: told.map(({ value, reason }) => (reason ? reason.message : (value.allowed ?? value))) })
})
process.send({ ready: true })
