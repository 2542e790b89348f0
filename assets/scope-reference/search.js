// The search: a dialog with a combobox over the scopes and categories of this page (ARIA combobox pattern). ⌘K or Ctrl-K opens it, the
// arrows choose, Enter goes there, Escape closes.
import { rank } from './search-rank.js'

const MOST_SHOWN = 50
const mac = /Mac|iPhone|iPad/.test(navigator.platform)

export function startSearch() {
  const dialog = document.getElementById('search')
  const text = document.getElementById('search-text')
  const list = document.getElementById('search-found')
  const opener = document.getElementById('search-open')
  const entries = collect()
  let found = []
  let active = 0

  if (mac) opener.querySelector('kbd').textContent = '⌘K'
  opener.addEventListener('click', open)
  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault()
      if (dialog.open) close()
      else open()
    }
  })
  text.addEventListener('input', () => show(text.value))
  text.addEventListener('keydown', steer)
  document.getElementById('search-close').addEventListener('click', close)
  // A click beside the dialog's content lands on the dialog itself.
  dialog.addEventListener('click', (event) => event.target === dialog && close())
  dialog.addEventListener('close', () => text.setAttribute('aria-expanded', 'false'))
  list.addEventListener('click', (event) => {
    const option = event.target.closest('[role=option]')
    if (option !== null) go(found[[...list.children].indexOf(option)])
  })

  function open() {
    text.value = ''
    show('')
    dialog.showModal()
    text.focus()
  }

  function close() {
    dialog.close()
  }

  function show(query) {
    found = rank(query, entries)
      .slice(0, MOST_SHOWN)
      .map((index) => entries[index])
    list.replaceChildren(...found.map(option))
    text.setAttribute('aria-expanded', String(found.length > 0))
    list.hidden = found.length === 0
    document.getElementById('search-hint').dataset.empty = String(found.length === 0)
    activate(0)
  }

  function activate(index) {
    active = index
    for (const [at, item] of [...list.children].entries()) item.setAttribute('aria-selected', String(at === index))
    const current = list.children[index]
    if (current === undefined) text.removeAttribute('aria-activedescendant')
    else {
      text.setAttribute('aria-activedescendant', current.id)
      current.scrollIntoView({ block: 'nearest' })
    }
  }

  function steer(event) {
    if (event.isComposing) return
    const last = found.length - 1
    if (event.key === 'ArrowDown') activate(active === last ? 0 : active + 1)
    else if (event.key === 'ArrowUp') activate(active === 0 ? last : active - 1)
    else if (event.key === 'Enter') go(found[active])
    else return
    event.preventDefault()
  }

  function go(entry) {
    if (entry === undefined) return
    close()
    location.hash = entry.hash
    // A second visit to the same place changes no hash, and still should lead there.
    entry.target.scrollIntoView({ block: 'start' })
    entry.target.focus({ preventScroll: true })
  }
}

function option(entry, index) {
  const item = document.createElement('li')
  item.id = `found-${index}`
  item.setAttribute('role', 'option')
  const title = document.createElement(entry.category === undefined ? 'strong' : 'code')
  title.textContent = entry.title
  const about = document.createElement('span')
  about.textContent = entry.category ?? entry.about
  item.append(title, ' ', about)
  return item
}

/** Categories and scopes as the page shows them. */
function collect() {
  return [...document.querySelectorAll('.category')].flatMap((section) => {
    const heading = section.querySelector('h2')
    const scopes = [...section.querySelectorAll('.scope')]
    const category = heading.textContent
    return [
      // Of equal matches the category is the better guess: it shows all of its scopes.
      {
        title: category,
        more: '',
        weight: 1,
        about: `${scopes.length} ${scopes.length === 1 ? 'scope' : 'scopes'}`,
        hash: `#${heading.id}`,
        target: heading,
      },
      ...scopes.map((scope) => ({
        title: scope.id,
        more: `${category} ${scope.textContent}`,
        category,
        hash: scope.querySelector('.name').hash,
        target: scope.querySelector('.name'),
      })),
    ]
  })
}
