// The names of resource types in a FHIR route must exist: a grant or an operation that names "Patinet" would quietly open nothing, and
// a shared type of that name share nothing. The types of all versions are taken together; a test holds them against the generated
// definitions. What a type means in the route's version is the domain's to say.

import { suggestion } from '../source/nearest.ts'
import type { Path, Report } from '../source/problem.ts'
import { type FhirRouteDraft, placed, placedByName } from './draft.ts'
import { CONTAINERS, TYPES_ABOUT_PATIENTS } from './patient-types.ts'

const REFERENCE_DATA =
  `ActivityDefinition ActorDefinition AdministrableProductDefinition ArtifactAssessment BiologicallyDerivedProduct
  CapabilityStatement CatalogEntry ChargeItemDefinition Citation ClinicalUseDefinition CodeSystem CompartmentDefinition ConceptMap
  ConditionDefinition DeviceDefinition DeviceMetric EffectEvidenceSynthesis Endpoint EventDefinition Evidence EvidenceReport
  EvidenceVariable ExampleScenario FormularyItem GraphDefinition HealthcareService ImplementationGuide Ingredient InsurancePlan
  InventoryItem InventoryReport Library Linkage Location ManufacturedItemDefinition Measure Medication MedicationKnowledge
  MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductDefinition
  MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
  MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader
  NamingSystem NutritionProduct ObservationDefinition OperationDefinition OperationOutcome Organization OrganizationAffiliation
  PackagedProductDefinition PaymentNotice PaymentReconciliation Permission PlanDefinition Practitioner PractitionerRole
  Questionnaire RegulatedAuthorization Requirements ResearchDefinition ResearchElementDefinition ResearchStudy
  RiskEvidenceSynthesis SearchParameter Slot SpecimenDefinition StructureDefinition StructureMap SubscriptionTopic Substance
  SubstanceDefinition SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
  SubstanceSpecification TerminologyCapabilities TestPlan TestReport TestScript ValueSet VerificationResult`.split(
    /\s+/,
  )

export const RESOURCE_TYPES: ReadonlySet<string> = new Set([...REFERENCE_DATA, ...TYPES_ABOUT_PATIENTS, ...CONTAINERS])

export function checkTypes({ grants, operations, patientScopes }: FhirRouteDraft, path: Path, report: Report): void {
  const named: [type: string | undefined, at: Path, part?: 'key'][] = []
  for (const [type, at] of placed(patientScopes?.sharedTypes, [...path, 'patientScopes', 'sharedTypes'])) {
    named.push([type, at])
  }
  for (const [, worth, at] of placedByName(grants, [...path, 'grants'])) {
    const [scopes = '', place] = typeof worth === 'string' ? [worth, at] : [worth.scope, [...at, 'scope']]
    for (const scope of scopes.split(' ')) named.push([/^\w+\/(\w+)/.exec(scope)?.[1], place])
  }
  for (const [shape, operation, at] of placedByName(operations, [...path, 'operations'])) {
    named.push([/^(\w+)\//.exec(shape)?.[1], at, 'key'])
    const requires = 'requires' in operation ? operation.requires : undefined
    if (typeof requires === 'string') named.push([/^\w+/.exec(requires)?.[0], [...at, 'requires']])
  }
  for (const [type, at, part] of named) {
    if (type === undefined || RESOURCE_TYPES.has(type)) continue
    report(at, `"${type}" is no resource type of FHIR R4, R4B or R5${suggestion(type, RESOURCE_TYPES)}`, part)
  }
}
