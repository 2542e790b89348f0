// What an answer must be, beyond its status: named conditions on `{ status, header(name), json }`, which k6 prints as checks.
// No k6 module is imported here or in any file that lists requests, so that Node can run them too.

/** One resource, by type and id. */
export const resource = (type, id) => ({
  'is FHIR JSON': isFhirJson,
  [`is ${type}/${id}`]: ({ json }) => json.resourceType === type && json.id === id,
  'has an ETag': ({ header }) => /^W\/"[^"]+"$/.test(header('ETag')),
})

/** A Bundle of matches that all are of the type and satisfy `inside`; its links are the gateway's own. */
export const searchset = (type, gateway, inside = () => true) => ({
  'is FHIR JSON': isFhirJson,
  'is a searchset with matches': ({ json }) => json.type === 'searchset' && json.entry.length > 0,
  [`every match is ${/^[AEIOU]/.test(type) ? 'an' : 'a'} ${type} that was asked for`]: ({ json }) =>
    json.entry.every((entry) => entry.resource.resourceType === type && inside(entry.resource)),
  'links and full URLs lead through the gateway': ({ json }) =>
    [...json.link.map((link) => link.url), ...json.entry.map((entry) => entry.fullUrl)].every((url) =>
      url.startsWith(`${gateway}/`),
    ),
})

/** For `searchset`: an Observation of the patient, in the category. */
export const observationOf = (patient, category) => (observation) =>
  observation.subject.reference === `Patient/${patient}` &&
  observation.category.some(({ coding }) => coding.some(({ code }) => code === category))

/** The gateway's own answer on a FHIR route; `challenge` are parts of WWW-Authenticate, none: there is no such header. */
export const outcome = (code, ...challenge) => ({
  'is FHIR JSON': isFhirJson,
  [`is an OperationOutcome that says ${code}`]: ({ json }) =>
    json.resourceType === 'OperationOutcome' &&
    json.issue[0].details.coding.some((coding) => coding.system === 'urn:scopegate:code' && coding.code === code),
  ...challenged(challenge),
})

/** The gateway's own answer elsewhere. */
export const problem = (code, ...challenge) => ({
  'is problem+json': ({ header }) => header('Content-Type').startsWith('application/problem+json'),
  [`says ${code}`]: ({ json, status }) => json.code === code && json.status === status,
  ...challenged(challenge),
})

/** What a stand-in of the demo says it got: this request, and not the credential. */
export const standIn = (product, method, path) => ({
  [`reached ${product}`]: ({ json }) => json.product === product,
  'arrived as it was sent': ({ json }) => json.method === method && json.path === path,
  'arrived without the credential': ({ json }) =>
    json.headers.authorization === undefined && json.headers['x-api-key'] === undefined,
})

export const conformance = (fhirVersion, url) => ({
  'is FHIR JSON': isFhirJson,
  [`is the CapabilityStatement of ${fhirVersion}`]: ({ json }) =>
    json.resourceType === 'CapabilityStatement' && json.fhirVersion === fhirVersion,
  'names the gateway': ({ json }) => json.implementation.url === url,
})

function isFhirJson({ header }) {
  return header('Content-Type').startsWith('application/fhir+json')
}

function challenged(parts) {
  if (parts.length === 0) return { 'carries no challenge': ({ header }) => header('WWW-Authenticate') === undefined }
  return {
    [`challenges with ${parts.join(', ')}`]: ({ header }) =>
      ['Bearer realm=', ...parts].every((part) => header('WWW-Authenticate').includes(part)),
  }
}
