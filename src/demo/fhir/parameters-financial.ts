// Search parameters of accounts, claims and coverage; one a line as in parameters-clinical.

export const FINANCIAL: Readonly<Record<string, string>> = {
  Account: `
    identifier token identifier
    name string name
    owner reference owner
    patient reference(Patient) subject
    period date servicePeriod
    status token status
    subject reference subject
    type token type`,
  Claim: `
    care-team reference careTeam.provider
    created date created
    encounter reference item.encounter
    enterer reference enterer
    facility reference facility
    identifier token identifier
    insurer reference insurer
    patient reference(Patient) patient
    payee reference payee.party
    priority token priority
    provider reference provider
    status token status
    use token use`,
  ClaimResponse: `
    created date created
    disposition string disposition
    identifier token identifier
    insurer reference insurer
    outcome token outcome
    patient reference(Patient) patient
    payment-date date payment.date
    request reference request
    requestor reference requestor
    status token status
    use token use`,
  Coverage: `
    beneficiary reference beneficiary
    class-type token class.type
    class-value string class.value
    dependent string dependent
    identifier token identifier
    patient reference(Patient) beneficiary
    payor reference payor
    policy-holder reference policyHolder
    status token status
    subscriber reference subscriber
    type token type`,
  EnrollmentRequest: `
    identifier token identifier
    patient reference(Patient) candidate
    status token status
    subject reference candidate`,
  ExplanationOfBenefit: `
    care-team reference careTeam.provider
    claim reference claim
    coverage reference insurance.coverage
    created date created
    disposition string disposition
    encounter reference item.encounter
    enterer reference enterer
    facility reference facility
    identifier token identifier
    patient reference(Patient) patient
    payee reference payee.party
    provider reference provider
    service-date date billablePeriod
    status token status
    type token type`,
  Invoice: `
    date date date
    identifier token identifier
    issuer reference issuer
    patient reference(Patient) subject
    recipient reference recipient
    status token status
    subject reference subject`,
}
