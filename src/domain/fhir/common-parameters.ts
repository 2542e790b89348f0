// The parameters that every search takes (R4 search §3.1.1.4.1, §3.1.1.5), sorted by what they do. All begin with `_`, and any
// other `_…` is unknown: a server may give it any meaning, page cookies among them.

/** Choose resources by what stands in the resource itself. */
const CHOOSING = ['_id', '_lastUpdated', '_tag', '_profile', '_security', '_source', '_text', '_content', '_language']
/** Shape the answer, and look at nothing but the searched type. */
const SHAPING = ['_count', '_offset', '_total', '_summary', '_elements', '_score', '_format', '_pretty', '_maxresults']
/** Choose resources by what stands elsewhere, or by an expression. */
const REACHING_CHOICE = ['_has', '_list', '_filter']
const REACHING = ['_include', '_revinclude', '_sort', '_contained', '_containedType', '_query', '_type']

const ownChoice: ReadonlySet<string> = new Set([...CHOOSING, ...SHAPING])
const choice: ReadonlySet<string> = new Set([...CHOOSING, ...REACHING_CHOICE])
const spelling: ReadonlyMap<string, string> = new Map(
  [...CHOOSING, ...SHAPING, ...REACHING_CHOICE, ...REACHING].map((name) => [name.toLowerCase(), name]),
)

/** Whether a common parameter looks at nothing but the searched type. */
export function staysInside(name: string): boolean {
  return ownChoice.has(name)
}

/** Whether a parameter chooses resources; the others only shape the answer. */
export function choosesResources(name: string): boolean {
  return !name.startsWith('_') || choice.has(name)
}

/** The name that FHIR gives to a common parameter in whatever case it is written. */
export function commonSpelling(name: string): string | undefined {
  return spelling.get(name.toLowerCase())
}
