// Search parameters of people, places, devices and records; one a line as in parameters-clinical.

const PERSON = `
    address string address
    address-city string address.city
    address-country string address.country
    address-postalcode string address.postalCode
    address-state string address.state
    address-use token address.use
    email token telecom[system=email]
    gender token gender
    identifier token identifier
    phone token telecom[system=phone]
    telecom token telecom`

const PLACE = `
    address string address
    address-city string address.city
    address-country string address.country
    address-postalcode string address.postalCode
    address-state string address.state
    address-use token address.use
    endpoint reference endpoint
    identifier token identifier`

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition'

export const ADMINISTRATION: Readonly<Record<string, string>> = {
  AuditEvent: `
    action token action
    address string agent.network.address
    agent reference agent.who
    agent-name string agent.name
    agent-role token agent.role
    altid token agent.altId
    date date recorded
    entity reference entity.what
    entity-name string entity.name
    entity-role token entity.role
    entity-type token entity.type
    outcome token outcome
    patient reference(Patient) agent.who|entity.what
    policy uri agent.policy
    site token source.site
    source reference source.observer
    subtype token subtype
    type token type`,
  Basic: `
    author reference author
    code token code
    created date created
    identifier token identifier
    patient reference(Patient) subject
    subject reference subject`,
  Bundle: `
    identifier token identifier
    timestamp date timestamp
    type token type`,
  Composition: `
    attester reference attester.party
    author reference author
    category token category
    confidentiality token confidentiality
    context token event.code
    date date date
    encounter reference encounter
    entry reference section.entry
    identifier token identifier
    patient reference(Patient) subject
    period date event.period
    section token section.code
    status token status
    subject reference subject
    title string title
    type token type`,
  Device: `
    device-name string deviceName.name|type.coding.display|type.text
    din token extension[url=${US_CORE}/us-core-device-din].valueString
    identifier token identifier
    location reference location
    manufacturer string manufacturer
    model string modelNumber
    organization reference owner
    patient reference(Patient) patient
    status token status
    type token type
    udi-carrier string udiCarrier.carrierHRF
    udi-di string udiCarrier.deviceIdentifier
    url uri url`,
  DocumentManifest: `
    author reference author
    created date created
    identifier token masterIdentifier|identifier
    item reference content
    patient reference(Patient) subject
    recipient reference recipient
    status token status
    subject reference subject
    type token type`,
  Encounter: `
    account reference account
    appointment reference appointment
    based-on reference basedOn
    class token class
    date date period
    diagnosis reference diagnosis.condition
    discharge-disposition token hospitalization.dischargeDisposition
    episode-of-care reference episodeOfCare
    identifier token identifier
    length quantity length
    location reference location.location
    location-period date location.period
    part-of reference partOf
    participant reference participant.individual
    participant-type token participant.type
    patient reference(Patient) subject
    practitioner reference(Practitioner) participant.individual
    reason-code token reasonCode
    reason-reference reference reasonReference
    service-provider reference serviceProvider
    special-arrangement token hospitalization.specialArrangement
    status token status
    subject reference subject
    type token type`,
  Endpoint: `
    connection-type token connectionType
    identifier token identifier
    name string name
    organization reference managingOrganization
    payload-type token payloadType
    status token status`,
  EpisodeOfCare: `
    care-manager reference careManager
    condition reference diagnosis.condition
    date date period
    identifier token identifier
    organization reference managingOrganization
    patient reference(Patient) patient
    status token status
    type token type`,
  Group: `
    actual token actual
    characteristic token characteristic.code
    code token code
    exclude token characteristic.exclude
    identifier token identifier
    managing-entity reference managingEntity
    member reference member.entity
    type token type`,
  HealthcareService: `
    active token active
    coverage-area reference coverageArea
    endpoint reference endpoint
    identifier token identifier
    location reference location
    name string name
    organization reference providedBy
    service-category token category
    service-type token type
    specialty token specialty`,
  List: `
    code token code
    date date date
    empty-reason token emptyReason
    encounter reference encounter
    identifier token identifier
    item reference entry.item
    notes string note.text
    patient reference(Patient) subject
    source reference source
    status token status
    subject reference subject
    title string title`,
  Location: `${PLACE}
    name string name|alias
    operational-status token operationalStatus
    organization reference managingOrganization
    partof reference partOf
    status token status
    type token type`,
  Organization: `${PLACE}
    active token active
    name string name|alias
    partof reference partOf
    phonetic string name
    type token type`,
  Patient: `${PERSON}
    active token active
    birthdate date birthDate
    death-date date deceasedDateTime
    deceased token deceased[?]
    ethnicity token extension[url=${US_CORE}/us-core-ethnicity].extension.valueCoding
    family string name.family
    general-practitioner reference generalPractitioner
    given string name.given
    language token communication.language
    link reference link.other
    name string name
    organization reference managingOrganization
    phonetic string name
    race token extension[url=${US_CORE}/us-core-race].extension.valueCoding`,
  Person: `${PERSON}
    birthdate date birthDate
    link reference link.target
    name string name
    organization reference managingOrganization
    patient reference(Patient) link.target
    phonetic string name
    practitioner reference(Practitioner) link.target
    relatedperson reference(RelatedPerson) link.target`,
  Practitioner: `${PERSON}
    active token active
    communication token communication
    family string name.family
    given string name.given
    name string name
    phonetic string name`,
  PractitionerRole: `
    active token active
    date date period
    email token telecom[system=email]
    endpoint reference endpoint
    identifier token identifier
    location reference location
    organization reference organization
    phone token telecom[system=phone]
    practitioner reference practitioner
    role token code
    service reference healthcareService
    specialty token specialty
    telecom token telecom`,
  Provenance: `
    agent reference agent.who
    agent-role token agent.role
    agent-type token agent.type
    entity reference entity.what
    location reference location
    patient reference(Patient) target
    recorded date recorded
    signature-type token signature.type
    target reference target
    when date occurredDateTime`,
  RelatedPerson: `${PERSON}
    active token active
    birthdate date birthDate
    name string name
    patient reference(Patient) patient
    phonetic string name
    relationship token relationship`,
  Subscription: `
    contact token contact
    criteria string criteria
    payload token channel.payload
    status token status
    type token channel.type
    url uri channel.endpoint`,
}
