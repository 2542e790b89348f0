// Resource types that are about patients in some FHIR version (CompartmentDefinition/patient of R4, R4B and R5, and the types that
// name a patient without being in it), and containers that may hold anything: none of them is reference data. A test holds this list
// against the generated definitions.
export const TYPES_ABOUT_PATIENTS: ReadonlySet<string> = new Set(
  `Account AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic BiologicallyDerivedProductDispense
  BodyStructure CarePlan CareTeam ChargeItem Claim ClaimResponse ClinicalImpression Communication CommunicationRequest Composition
  Condition Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceAssociation
  DeviceDispense DeviceRequest DeviceUsage DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference Encounter
  EncounterHistory EnrollmentRequest EnrollmentResponse EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Flag GenomicStudy Goal
  GuidanceResponse ImagingSelection ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation Invoice MeasureReport
  Media MedicationAdministration MedicationDispense MedicationRequest MedicationStatement MolecularSequence NutritionIntake
  NutritionOrder Observation Patient Person Procedure Provenance QuestionnaireResponse RelatedPerson RequestGroup
  RequestOrchestration ResearchSubject RiskAssessment Schedule ServiceRequest Specimen SupplyDelivery SupplyRequest Task Transport
  VisionPrescription`.split(/\s+/),
)

export const CONTAINERS: ReadonlySet<string> = new Set([
  'Binary',
  'Bundle',
  'Group',
  'List',
  'Parameters',
  'Subscription',
  'SubscriptionStatus',
])

export const hasPatients = (type: string): boolean => TYPES_ABOUT_PATIENTS.has(type) || CONTAINERS.has(type)
