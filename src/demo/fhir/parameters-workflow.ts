// Search parameters of medication, request, scheduling and communication types; one a line as in parameters-clinical.

export const WORKFLOW: Readonly<Record<string, string>> = {
  Appointment: `
    actor reference participant.actor
    appointment-type token appointmentType
    based-on reference basedOn
    date date start
    identifier token identifier
    location reference(Location) participant.actor
    part-status token participant.status
    patient reference(Patient) participant.actor
    practitioner reference(Practitioner) participant.actor
    reason-code token reasonCode
    reason-reference reference reasonReference
    service-category token serviceCategory
    service-type token serviceType
    slot reference slot
    specialty token specialty
    status token status
    supporting-info reference supportingInformation`,
  AppointmentResponse: `
    actor reference actor
    appointment reference appointment
    identifier token identifier
    location reference(Location) actor
    part-status token participantStatus
    patient reference(Patient) actor
    practitioner reference(Practitioner) actor`,
  Communication: `
    based-on reference basedOn
    category token category
    encounter reference encounter
    identifier token identifier
    medium token medium
    part-of reference partOf
    patient reference(Patient) subject
    received date received
    recipient reference recipient
    sender reference sender
    sent date sent
    status token status
    subject reference subject`,
  CommunicationRequest: `
    authored date authoredOn
    based-on reference basedOn
    category token category
    encounter reference encounter
    identifier token identifier
    patient reference(Patient) subject
    recipient reference recipient
    requester reference requester
    sender reference sender
    status token status
    subject reference subject`,
  DeviceRequest: `
    authored-on date authoredOn
    code token codeCodeableConcept
    device reference codeReference
    encounter reference encounter
    identifier token identifier
    intent token intent
    patient reference(Patient) subject
    performer reference performer
    requester reference requester
    status token status
    subject reference subject`,
  DeviceUseStatement: `
    device reference device
    identifier token identifier
    patient reference(Patient) subject
    subject reference subject`,
  Medication: `
    code token code
    expiration-date date batch.expirationDate
    form token form
    identifier token identifier
    ingredient reference ingredient.itemReference
    ingredient-code token ingredient.itemCodeableConcept
    lot-number token batch.lotNumber
    manufacturer reference manufacturer
    status token status`,
  MedicationAdministration: `
    code token medicationCodeableConcept
    context reference context
    device reference device
    effective-time date effective[x]
    identifier token identifier
    medication reference medicationReference
    patient reference(Patient) subject
    performer reference performer.actor
    reason-given token reasonCode
    request reference request
    status token status
    subject reference subject`,
  MedicationDispense: `
    code token medicationCodeableConcept
    context reference context
    destination reference destination
    identifier token identifier
    medication reference medicationReference
    patient reference(Patient) subject
    performer reference performer.actor
    prescription reference authorizingPrescription
    receiver reference receiver
    status token status
    subject reference subject
    type token type
    whenhandedover date whenHandedOver
    whenprepared date whenPrepared`,
  MedicationRequest: `
    authoredon date authoredOn
    category token category
    code token medicationCodeableConcept
    date date dosageInstruction.timing.event
    encounter reference encounter
    identifier token identifier
    intended-dispenser reference dispenseRequest.performer
    intended-performer reference performer
    intent token intent
    medication reference medicationReference
    patient reference(Patient) subject
    priority token priority
    requester reference requester
    status token status
    subject reference subject`,
  MedicationStatement: `
    category token category
    code token medicationCodeableConcept
    context reference context
    effective date effective[x]
    identifier token identifier
    medication reference medicationReference
    part-of reference partOf
    patient reference(Patient) subject
    source reference informationSource
    status token status
    subject reference subject`,
  NutritionOrder: `
    datetime date dateTime
    encounter reference encounter
    identifier token identifier
    patient reference(Patient) patient
    provider reference orderer
    status token status`,
  Questionnaire: `
    code token item.code
    date date date
    identifier token identifier
    name string name
    publisher string publisher
    status token status
    title string title
    url uri url
    version token version`,
  Schedule: `
    active token active
    actor reference actor
    date date planningHorizon
    identifier token identifier
    service-category token serviceCategory
    service-type token serviceType
    specialty token specialty`,
  ServiceRequest: `
    authored date authoredOn
    based-on reference basedOn
    body-site token bodySite
    category token category
    code token code
    encounter reference encounter
    identifier token identifier
    intent token intent
    occurrence date occurrence[x]
    patient reference(Patient) subject
    performer reference performer
    performer-type token performerType
    priority token priority
    replaces reference replaces
    requester reference requester
    requisition token requisition
    specimen reference specimen
    status token status
    subject reference subject`,
  Slot: `
    appointment-type token appointmentType
    identifier token identifier
    schedule reference schedule
    service-type token serviceType
    start date start
    status token status`,
  SupplyDelivery: `
    identifier token identifier
    patient reference(Patient) patient
    receiver reference receiver
    status token status
    supplier reference supplier`,
  SupplyRequest: `
    category token category
    date date authoredOn
    identifier token identifier
    requester reference requester
    status token status
    subject reference deliverTo
    supplier reference supplier`,
  Task: `
    authored-on date authoredOn
    based-on reference basedOn
    business-status token businessStatus
    code token code
    encounter reference encounter
    focus reference focus
    group-identifier token groupIdentifier
    identifier token identifier
    intent token intent
    modified date lastModified
    owner reference owner
    part-of reference partOf
    patient reference(Patient) for
    performer token performerType
    period date executionPeriod
    priority token priority
    requester reference requester
    status token status
    subject reference for`,
  RequestGroup: `
    author reference author
    authored date authoredOn
    encounter reference encounter
    identifier token identifier
    participant reference action.participant
    patient reference(Patient) subject
    status token status
    subject reference subject`,
  ResearchSubject: `
    date date period
    identifier token identifier
    individual reference individual
    patient reference(Patient) individual
    status token status
    study reference study`,
}
