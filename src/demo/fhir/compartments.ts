// Which parameters put a resource into a compartment (hl7.org/fhir/R4/compartmentdefinition.html): type → parameters.
// A resource is in the compartment of `Patient/1` when any of them names `Patient/1`, or when it is that resource.

import { findParameter, type SearchParameter } from './search-parameters.ts'

const PATIENT = `
Account:subject AdverseEvent:subject AllergyIntolerance:patient,recorder,asserter Appointment:actor
AppointmentResponse:actor AuditEvent:patient Basic:patient,author BodyStructure:patient CarePlan:patient,performer
CareTeam:patient,participant ChargeItem:subject Claim:patient,payee ClaimResponse:patient ClinicalImpression:subject
Communication:subject,sender,recipient CommunicationRequest:subject,sender,recipient,requester
Composition:subject,author,attester Condition:patient,asserter Consent:patient
Coverage:policy-holder,subscriber,beneficiary,payor CoverageEligibilityRequest:patient
CoverageEligibilityResponse:patient DetectedIssue:patient DeviceRequest:subject,performer DeviceUseStatement:subject
DiagnosticReport:subject DocumentManifest:subject,author,recipient DocumentReference:subject,author Encounter:patient
EnrollmentRequest:subject EpisodeOfCare:patient ExplanationOfBenefit:patient,payee FamilyMemberHistory:patient
Flag:patient Goal:patient Group:member ImagingStudy:patient Immunization:patient ImmunizationEvaluation:patient
ImmunizationRecommendation:patient Invoice:subject,patient,recipient List:subject,source MeasureReport:patient
Media:subject MedicationAdministration:patient,performer,subject MedicationDispense:subject,patient,receiver
MedicationRequest:subject MedicationStatement:subject MolecularSequence:patient NutritionOrder:patient
Observation:subject,performer Patient:link Person:patient Procedure:patient,performer Provenance:patient
QuestionnaireResponse:subject,author RelatedPerson:patient RequestGroup:subject,participant ResearchSubject:individual
RiskAssessment:subject Schedule:actor ServiceRequest:subject,performer Specimen:subject SupplyDelivery:patient
SupplyRequest:subject VisionPrescription:patient`

const ENCOUNTER = `
CarePlan:encounter CareTeam:encounter Claim:encounter ClinicalImpression:encounter Communication:encounter
CommunicationRequest:encounter Composition:encounter Condition:encounter DeviceRequest:encounter
DiagnosticReport:encounter DocumentReference:encounter ExplanationOfBenefit:encounter Media:encounter
MedicationAdministration:context MedicationRequest:encounter NutritionOrder:encounter Observation:encounter
Procedure:encounter QuestionnaireResponse:encounter RiskAssessment:encounter ServiceRequest:encounter`

const PRACTITIONER = `
Account:subject AllergyIntolerance:recorder,asserter Appointment:actor AuditEvent:agent CarePlan:performer
CareTeam:participant Claim:enterer,provider,payee,care-team Composition:subject,author,attester Condition:asserter
DiagnosticReport:performer DocumentReference:subject,author,authenticator Encounter:practitioner,participant
ExplanationOfBenefit:enterer,provider,payee,care-team Group:member ImagingStudy:performer Immunization:performer
List:source MedicationAdministration:performer MedicationDispense:performer,receiver MedicationRequest:requester
Observation:performer Patient:general-practitioner PractitionerRole:practitioner Procedure:performer Provenance:agent
Schedule:actor ServiceRequest:performer,requester SupplyDelivery:supplier,receiver`

const RELATED_PERSON = `
AllergyIntolerance:asserter Appointment:actor CarePlan:performer CareTeam:participant Communication:sender,recipient
Condition:asserter Coverage:policy-holder,subscriber,payor DocumentReference:author Encounter:participant
MedicationStatement:source Observation:performer Patient:link Person:link Procedure:performer Provenance:agent
QuestionnaireResponse:author,source Schedule:actor ServiceRequest:performer`

const DEVICE = `
Appointment:actor CommunicationRequest:sender,recipient DeviceUseStatement:device DiagnosticReport:subject
DocumentReference:subject,author Group:member Media:subject MedicationAdministration:device Observation:subject,device
Provenance:agent Schedule:actor ServiceRequest:performer,requester Specimen:subject`

type Compartment = ReadonlyMap<string, readonly SearchParameter[]>

const COMPARTMENTS = new Map<string, Compartment>(
  Object.entries({
    Patient: PATIENT,
    Encounter: ENCOUNTER,
    Practitioner: PRACTITIONER,
    RelatedPerson: RELATED_PERSON,
    Device: DEVICE,
  }).map(([name, text]) => [name, compileCompartment(text)]),
)

function compileCompartment(text: string): Compartment {
  return new Map(
    text
      .trim()
      .split(/\s+/)
      .map((entry) => {
        const [type, names] = entry.split(':') as [string, string]
        const parameters = names.split(',').map((name) => {
          const parameter = findParameter(type, name)
          if (parameter === undefined) throw new Error(`compartment names ${type}.${name}, which is not a parameter`)
          return parameter
        })
        return [type, parameters]
      }),
  )
}

export function isCompartmentType(type: string): boolean {
  return COMPARTMENTS.has(type)
}

/** The parameters that put a resource of `type` into the compartment; none: the type is never in it. */
export function membershipParameters(compartment: string, type: string): readonly SearchParameter[] {
  return COMPARTMENTS.get(compartment)?.get(type) ?? []
}

/** All types that the compartment may hold, its own type included. */
export function typesInCompartment(compartment: string): string[] {
  return [compartment, ...(COMPARTMENTS.get(compartment)?.keys() ?? [])].filter((t, i, all) => all.indexOf(t) === i)
}
