// The words after `npm run k6 --`: a scenario and `--ports N` are ours, everything else goes to `k6 run` as it is.

export interface Words {
  readonly scenario: string
  /** Added to every port of the demo. */
  readonly ports: number
  readonly rest: readonly string[]
}

export function readWords(
  [scenario, ...words]: readonly string[],
  scenarios: readonly string[],
): Words | { usage: string } {
  const usage = `npm run k6 -- ${scenarios.join('|')} [--ports N] [arguments of k6 run, such as -e RATE=500]`
  if (scenario === undefined || !scenarios.includes(scenario)) return { usage }
  const rest: string[] = []
  let ports = '0'
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    if (word === '--ports') ports = words[++index] ?? ''
    else if (word.startsWith('--ports=')) ports = word.slice('--ports='.length)
    else rest.push(word)
  }
  if (!/^\d{1,5}$/.test(ports)) return { usage: `--ports takes a number that is added to every port\n\n${usage}` }
  return { scenario, ports: Number(ports), rest }
}
