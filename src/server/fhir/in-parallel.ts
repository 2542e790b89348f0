// Many questions to an upstream at once, but not all at once, so that one large Bundle neither takes for ever nor floods the server.

/** `work` is begun in order, at most `most` at a time; no more is begun once one of them came to `false`. */
export async function inParallel<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item, index: number) => Promise<boolean>,
): Promise<void> {
  let next = 0
  let goesOn = true
  const worker = async (): Promise<void> => {
    while (goesOn && next < items.length) {
      const index = next++
      if (!(await work(items[index]!, index))) goesOn = false
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker))
}
