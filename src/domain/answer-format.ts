// Which format the client asks for, by `_format` (which overrules) or `Accept` (RFC 9110 §12.5.1; https://hl7.org/fhir/R4/http.html#mime-type).
// Only JSON and XML are told apart, for the answers that the gateway writes itself. Unreadable wishes count as JSON.

export interface AcceptedFormats {
  /** XML is wanted more than JSON. */
  readonly prefersXml: boolean
  /** A JSON answer would do. */
  readonly json: boolean
}

const JSON_ONLY: AcceptedFormats = { prefersXml: false, json: true }
const XML_ONLY: AcceptedFormats = { prefersXml: true, json: false }

const JSON_TYPES = new Set(['application/fhir+json', 'application/json', 'text/json', 'application/json+fhir'])
const XML_TYPES = new Set(['application/fhir+xml', 'application/xml', 'text/xml', 'application/xml+fhir'])

export function acceptedFormats(accept: string | undefined, format: string | undefined): AcceptedFormats {
  if (format !== undefined && format !== '') return byFormat(format)
  if (accept === undefined || !/xml/i.test(accept)) return JSON_ONLY
  return byAccept(accept)
}

/** `_format` takes a media type or a short name; a form-decoded `+` is a space. */
function byFormat(format: string): AcceptedFormats {
  const name = format.split(';', 1)[0]!.trim().toLowerCase().replace(' ', '+')
  return name === 'xml' || XML_TYPES.has(name) ? XML_ONLY : JSON_ONLY
}

function byAccept(accept: string): AcceptedFormats {
  let xml = 0
  let json: number | undefined
  let xmlFirst: boolean | undefined
  let ranges = 0
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.toLowerCase().split(';')
    const name = type.trim()
    const quality = qualityOf(parameters)
    if (XML_TYPES.has(name)) {
      xml = Math.max(xml, quality)
      xmlFirst ??= true
    } else if (JSON_TYPES.has(name)) {
      json = Math.max(json ?? 0, quality)
      xmlFirst ??= false
    } else if (name === '*/*' || name === 'application/*') {
      ranges = Math.max(ranges, quality)
    }
  }
  // A wildcard covers JSON where JSON itself is not named, and never ranks it above an XML type that is named at the same quality.
  const named = json !== undefined
  const offered = json ?? ranges
  return {
    prefersXml: xml > 0 && (xml > offered || (xml === offered && (!named || xmlFirst === true))),
    json: offered > 0 || xml === 0,
  }
}

function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const match = /^\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*$/.exec(parameter)
    if (match) return Number(match[1])
  }
  return 1
}
