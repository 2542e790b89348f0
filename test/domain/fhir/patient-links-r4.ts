// The patient compartment of FHIR R4 4.0.1 as the official CompartmentDefinition and SearchParameters give it, with the primary and
// secondary split that the project was specified with; kept apart from the generator, so that a change in the tables shows.
// Each line: type | primary parameters | secondary ones | listed ones that repeat a primary one, each with its elements.

export const PATIENT_LINKS_R4 = `
Account | subject=subject
AdverseEvent | subject=subject
AllergyIntolerance | patient=patient | recorder=recorder asserter=asserter
Appointment | actor=participant.actor
AppointmentResponse | actor=actor
AuditEvent | patient=agent.who+entity.what
Basic | patient=subject | author=author
BodyStructure | patient=patient
CarePlan | patient=subject | performer=activity.detail.performer
CareTeam | patient=subject | participant=participant.member
ChargeItem | subject=subject
Claim | patient=patient | payee=payee.party
ClaimResponse | patient=patient
ClinicalImpression | subject=subject
Communication | subject=subject | sender=sender recipient=recipient
CommunicationRequest | subject=subject | sender=sender recipient=recipient requester=requester
Composition | subject=subject | author=author attester=attester.party
Condition | patient=subject | asserter=asserter
Consent | patient=patient
Coverage | beneficiary=beneficiary | policy-holder=policyHolder subscriber=subscriber payor=payor
CoverageEligibilityRequest | patient=patient
CoverageEligibilityResponse | patient=patient
DetectedIssue | patient=patient
DeviceRequest | subject=subject | performer=performer
DeviceUseStatement | subject=subject
DiagnosticReport | subject=subject
DocumentManifest | subject=subject | author=author recipient=recipient
DocumentReference | subject=subject | author=author
Encounter | patient=subject
EnrollmentRequest | subject=candidate
EpisodeOfCare | patient=patient
ExplanationOfBenefit | patient=patient | payee=payee.party
FamilyMemberHistory | patient=patient
Flag | patient=subject
Goal | patient=subject
Group | member=member.entity
ImagingStudy | patient=subject
Immunization | patient=patient
ImmunizationEvaluation | patient=patient
ImmunizationRecommendation | patient=patient
Invoice | subject=subject | recipient=recipient | patient=subject
List | subject=subject | source=source
MeasureReport | patient=subject
Media | subject=subject
MedicationAdministration | patient=subject | performer=performer.actor | subject=subject
MedicationDispense | subject=subject | receiver=receiver | patient=subject
MedicationRequest | subject=subject
MedicationStatement | subject=subject
MolecularSequence | patient=patient
NutritionOrder | patient=patient
Observation | subject=subject | performer=performer
Patient | | link=link.other
Person | patient=link.target
Procedure | patient=subject | performer=performer.actor
Provenance | patient=target
QuestionnaireResponse | subject=subject | author=author
RelatedPerson | patient=patient
RequestGroup | subject=subject | participant=action.participant
ResearchSubject | individual=individual
RiskAssessment | subject=subject
Schedule | actor=actor
ServiceRequest | subject=subject | performer=performer
Specimen | subject=subject
SupplyDelivery | patient=patient
SupplyRequest | subject=deliverTo
VisionPrescription | patient=patient
Contract (outside) | patient=subject
Device (outside) | patient=patient
GuidanceResponse (outside) | patient=subject
Task (outside) | patient=for
`

/** Types that the CompartmentDefinition lists without any parameter; Parameters it does not list at all. */
export const NOT_LINKED_R4 = `
ActivityDefinition Binary BiologicallyDerivedProduct Bundle CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem
CompartmentDefinition ConceptMap Contract Device DeviceDefinition DeviceMetric EffectEvidenceSynthesis Endpoint
EnrollmentResponse EventDefinition Evidence EvidenceVariable ExampleScenario GraphDefinition GuidanceResponse HealthcareService
ImplementationGuide InsurancePlan Library Linkage Location Measure Medication MedicationKnowledge
MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader NamingSystem ObservationDefinition OperationDefinition OperationOutcome
Organization OrganizationAffiliation PaymentNotice PaymentReconciliation PlanDefinition Practitioner PractitionerRole Questionnaire
ResearchDefinition ResearchElementDefinition ResearchStudy RiskEvidenceSynthesis SearchParameter Slot SpecimenDefinition StructureDefinition
StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
SubstanceSpecification Task TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
`
