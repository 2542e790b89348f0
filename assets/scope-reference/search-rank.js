// Ranks what can be found: the title counts most, whole words and their beginnings more than the middle of a word. Every word of the query
// must be found somewhere. Only where that finds nothing, letters of the title that merely follow each other will do.

/**
 * @param {string} query
 * @param {readonly { readonly title: string, readonly more: string, readonly weight?: number }[]} entries
 * @returns {number[]} indices of what was found, best first
 */
export function rank(query, entries) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return entries.map((_, index) => index)
  const found = ranked(words, entries, (word, title, more) => Math.max(2 * match(word, title), match(word, more)))
  return found.length > 0 ? found : ranked(words, entries, scattered)
}

function ranked(words, entries, judge) {
  return entries
    .map((entry, index) => ({ index, score: scoreOf(words, entry, judge) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ index }) => index)
}

function scoreOf(words, { title, more, weight = 0 }, judge) {
  let sum = 0
  for (const word of words) {
    const score = judge(word, title.toLowerCase(), more.toLowerCase())
    if (score === 0) return 0
    sum += score
  }
  return sum + weight
}

/** 3 for a whole word, 2 for the beginning of one, 1 for a part, 0 for nothing. */
function match(word, text) {
  let best = 0
  for (let at = text.indexOf(word); at >= 0 && best < 3; at = text.indexOf(word, at + 1)) {
    const begins = at === 0 || !isLetter(text[at - 1])
    const ends = at + word.length === text.length || !isLetter(text[at + word.length])
    best = Math.max(best, begins && ends ? 3 : begins ? 2 : 1)
  }
  return best
}

/** The letters in this order, the first at the beginning of a word. */
function scattered(word, text) {
  if (word.length < 3) return 0
  for (let start = 0; start < text.length; start++) {
    if (text[start] !== word[0] || (start > 0 && isLetter(text[start - 1]))) continue
    let at = start
    let letter = 1
    while (letter < word.length && at >= 0) at = text.indexOf(word[letter++], at + 1)
    if (at >= 0) return 1
  }
  return 0
}

function isLetter(character) {
  return /[\p{L}\p{N}]/u.test(character)
}
