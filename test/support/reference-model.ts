// A slow second reading of the specification: how much of what this one interaction asks for do these scopes open? Written from
// spec §1, §2.4 and §3.5 and contract §5, one rule after the other, sharing no code with src/domain. Tests ask both and compare.

/** What a request means, told by the test that made it: nothing is parsed here. */
export interface ModelRequest {
  readonly interaction:
    | 'read'
    | 'vread'
    | 'history-instance'
    | 'create'
    | 'update'
    | 'patch'
    | 'delete'
    | 'search-type'
    | 'search-system'
    | 'history-type'
    | 'history-system'
  /** Absent for a search or history of the whole system. */
  readonly type?: string
  readonly id?: string
  /** Whether it is the conditional form. */
  readonly conditional: boolean
  /** `_type` of a system search. */
  readonly types: readonly string[]
  /** What the search, or the condition, looks at besides. `*` where that may be anything. */
  readonly chained: readonly string[]
  readonly included: readonly string[]
  readonly reverseIncluded: readonly string[]
  /** Letters of which one opens what may come along where no type is named: `rs` for `_include=*`, `s` for `_revinclude=*`. */
  readonly anythingBy: readonly string[]
  readonly byList: boolean
}

export interface ModelToken {
  readonly scopes: readonly string[]
  readonly patients: readonly string[]
  readonly fhirUser: string | undefined
}

/**
 * `everything`: nothing has to be cut. `perhaps everything`: what a limit leaves may be all there is (a Patient who reads the own
 * record; types without patients, where the route shares them). `a part`: only what the answer is cut to. `nothing`: refuse.
 */
export type Extent = 'everything' | 'perhaps everything' | 'a part' | 'nothing'

const FROM_LEAST: readonly Extent[] = ['nothing', 'a part', 'perhaps everything', 'everything']

/** What a request gets is the least that any of its questions gets, and a question gets the most that any scope gives. */
export function extentOf(token: ModelToken, request: ModelRequest): Extent {
  let least: Extent = 'everything'
  for (const question of questionsOf(request)) {
    let most: Extent = question.unasked ? 'a part' : 'nothing'
    for (const scope of token.scopes) {
      for (const letter of question.oneOf) most = larger(most, extentOfScope(scope, letter, question, token))
    }
    least = larger(least, most) === least ? most : least
  }
  return least
}

function larger(one: Extent, other: Extent): Extent {
  return FROM_LEAST.indexOf(one) > FROM_LEAST.indexOf(other) ? one : other
}

interface Question {
  readonly type: string
  readonly oneOf: string
  /** Id of the Patient, where the request reads one Patient by its id. */
  readonly ownRecord?: string
  /** What comes along without having been named may be left out of the answer. */
  readonly unasked?: true
}

function questionsOf(request: ModelRequest): Question[] {
  const questions: Question[] = []
  const type = request.type ?? '*'
  if (request.interaction === 'read' || request.interaction === 'vread' || request.interaction === 'history-instance') {
    if (type === 'Patient' && request.id !== undefined) questions.push({ type, oneOf: 'r', ownRecord: request.id })
    else questions.push({ type, oneOf: 'r' })
  }
  if (request.interaction === 'create') questions.push({ type, oneOf: 'c' })
  if (request.interaction === 'update') questions.push({ type, oneOf: 'u' })
  if (request.interaction === 'patch') questions.push({ type, oneOf: 'u' })
  if (request.interaction === 'delete') questions.push({ type, oneOf: 'd' })
  if (request.interaction === 'search-type') questions.push({ type, oneOf: 's' })
  if (request.interaction === 'history-type') questions.push({ type, oneOf: 's' })
  if (request.interaction === 'history-system') questions.push({ type: '*', oneOf: 's' })
  if (request.interaction === 'search-system') {
    if (request.types.length === 0) questions.push({ type: '*', oneOf: 's' })
    for (const named of request.types) questions.push({ type: named, oneOf: 's' })
  }
  if (request.conditional) questions.push({ type, oneOf: 's' })
  // Whoever writes a Subscription is sent what its criteria match.
  if (type === 'Subscription' && ['create', 'update', 'patch'].includes(request.interaction)) {
    questions.push({ type: '*', oneOf: 'r' }, { type: '*', oneOf: 's' })
  }
  for (const chained of request.chained) questions.push({ type: chained, oneOf: 's' })
  for (const included of request.included) questions.push({ type: included, oneOf: 'rs' })
  for (const including of request.reverseIncluded) questions.push({ type: including, oneOf: 's' })
  for (const letters of request.anythingBy) {
    // Only the answer of a search brings something along that may be left out.
    questions.push(request.conditional ? { type: '*', oneOf: letters } : { type: '*', oneOf: letters, unasked: true })
  }
  if (request.byList) questions.push({ type: 'List', oneOf: 'r' })
  return questions
}

function extentOfScope(scope: string, letter: string, { type, ownRecord }: Question, token: ModelToken): Extent {
  const question = scope.indexOf('?')
  const filter = question === -1 ? '' : scope.slice(question + 1)
  const plain = question === -1 ? scope : scope.slice(0, question)
  const slash = plain.indexOf('/')
  const dot = plain.lastIndexOf('.')
  if (slash === -1 || dot < slash) return 'nothing'
  const context = plain.slice(0, slash)
  const onType = plain.slice(slash + 1, dot)
  let letters = plain.slice(dot + 1)
  const isV1 = letters === 'read' || letters === 'write' || letters === '*'
  if (letters === 'read') letters = 'rs'
  if (letters === 'write') letters = 'cud'
  if (letters === '*') letters = 'cruds'

  if (context !== 'patient' && context !== 'user' && context !== 'system') return 'nothing'
  if (
    letters === '' ||
    ![...'cruds'].filter((each) => letters.includes(each)).every((each, at) => letters[at] === each)
  )
    return 'nothing'
  if ([...letters].some((each) => !'cruds'.includes(each))) return 'nothing'
  if (new Set(letters).size !== letters.length) return 'nothing'
  if (!letters.includes(letter)) return 'nothing'
  if (onType !== '*' && onType !== type) return 'nothing'

  if (question !== -1) {
    if (isV1) return 'nothing'
    for (const part of filter.split('&')) {
      const sides = part.split('=')
      if (sides.length !== 2 || sides[0] === '' || sides[1] === '') return 'nothing'
      if (!/^([a-z][a-z-]*|_id|_lastUpdated|_tag|_profile|_security|_source)$/.test(sides[0]!)) return 'nothing'
    }
  }
  if (context === 'patient' && token.patients.length === 0) return 'nothing'
  const patients = context === 'patient' ? token.patients : patientWhoIsUser(token)
  if (context === 'system' || (context === 'user' && patients.length === 0)) {
    return question === -1 ? 'everything' : 'a part'
  }
  if (question !== -1) return 'a part'
  // A Patient belongs to its own compartment by its id alone.
  if (ownRecord !== undefined) return patients.includes(ownRecord) ? 'perhaps everything' : 'nothing'
  return SHARED.includes(type) && (letter === 'r' || letter === 's') ? 'perhaps everything' : 'a part'
}

const SHARED = ['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication']

function patientWhoIsUser({ fhirUser }: ModelToken): readonly string[] {
  if (fhirUser === undefined || !fhirUser.startsWith('Patient/')) return []
  return [fhirUser.slice('Patient/'.length)]
}
