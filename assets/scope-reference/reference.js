// The Scope Reference's own script: search, copying, and the category that is on screen.
import { startSearch } from './search.js'

startSearch()
startCopying()
followCategories()

function startCopying() {
  const said = document.getElementById('said')
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('.copy')
    if (button === null) return
    const { copy } = button.dataset
    const copied = await write(copy)
    said.textContent = copied ? `Copied ${copy}` : `Select and copy: ${copy}`
    button.textContent = copied ? 'Copied' : 'Not copied'
    setTimeout(() => {
      button.textContent = 'Copy'
      said.textContent = ''
    }, 2000)
  })
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return writeOldWay(text)
  }
}

/** Without https there is no clipboard but by selection. */
function writeOldWay(text) {
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'unseen'
  document.body.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  return copied
}

function followCategories() {
  const nav = document.querySelector('.categories')
  const links = new Map([...nav.querySelectorAll('a')].map((link) => [decodeURIComponent(link.hash.slice(1)), link]))
  const sections = [...document.querySelectorAll('.category')]
  let current

  function follow() {
    const line = window.innerHeight / 3
    const section = sections.findLast((one) => one.getBoundingClientRect().top <= line)
    const link = section && links.get(section.querySelector('h2').id)
    if (link === current) return
    current?.removeAttribute('aria-current')
    link?.setAttribute('aria-current', 'true')
    current = link
    // On a phone the categories are one line that scrolls sideways by itself.
    if (link !== undefined) nav.scrollTo({ left: link.offsetLeft - nav.clientWidth / 3 })
  }

  let asked = false
  const ask = () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      follow()
    })
  }
  window.addEventListener('scroll', ask, { passive: true })
  window.addEventListener('resize', ask, { passive: true })
  follow()
}
