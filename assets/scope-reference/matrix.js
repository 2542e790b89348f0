// The access matrix's own script: sends the form while one types, and puts the answer of the page itself in its place. Scopes may also
// come in the fragment (`matrix#scope=…`), which no server sees.

const PAUSE_MS = 250
const form = document.getElementById('asked')
const scope = form.elements.namedItem('scope')
let timer
let running

form.addEventListener('input', (event) => later(event.target === scope ? PAUSE_MS : 0))
form.addEventListener('submit', (event) => {
  event.preventDefault()
  later(0)
})
window.addEventListener('hashchange', takeFragment)
takeFragment()

function takeFragment() {
  const asked = new URLSearchParams(location.hash.slice(1)).get('scope')
  if (asked === null) return
  scope.value = asked
  later(0)
}

function later(pause) {
  clearTimeout(timer)
  timer = setTimeout(ask, pause)
}

async function ask() {
  running?.abort()
  running = new AbortController()
  try {
    const body = new URLSearchParams(new FormData(form))
    const response = await fetch('matrix', { method: 'POST', body, signal: running.signal })
    if (!response.ok) throw new Error((await response.json()).detail)
    show(new DOMParser().parseFromString(await response.text(), 'text/html'))
  } catch (error) {
    if (error.name !== 'AbortError') say(error.message || 'The gateway does not answer.')
  }
}

function show(page) {
  const open = new Set([...document.querySelectorAll('#result details[open]')].map((one) => one.textContent))
  document.getElementById('result').replaceChildren(...page.getElementById('result').childNodes)
  for (const details of document.querySelectorAll('#result details')) details.open = open.has(details.textContent)
  say(page.getElementById('summary').textContent)
}

function say(text) {
  const summary = document.getElementById('summary')
  if (summary.textContent !== text) summary.textContent = text
}
