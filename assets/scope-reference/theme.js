// Runs before the page is drawn: says that scripts work, and puts the theme that was chosen here before. Without a choice the system's
// own preference holds.
;(() => {
  const root = document.documentElement
  const dark = window.matchMedia('(prefers-color-scheme: dark)')
  const kept = {
    // Storage can be refused; then a choice lasts as long as the page.
    read() {
      try {
        return localStorage.getItem('scopegate-theme')
      } catch {
        return null
      }
    },
    write(theme) {
      try {
        if (theme === null) localStorage.removeItem('scopegate-theme')
        else localStorage.setItem('scopegate-theme', theme)
      } catch {}
    },
  }
  let chosen = kept.read()

  function isDark() {
    return chosen === 'dark' || (chosen !== 'light' && dark.matches)
  }

  function show() {
    if (chosen === 'dark' || chosen === 'light') root.dataset.theme = chosen
    else delete root.dataset.theme
    document.getElementById('theme')?.setAttribute('aria-pressed', String(isDark()))
  }

  root.classList.add('script')
  show()
  dark.addEventListener('change', show)
  document.addEventListener('DOMContentLoaded', () => {
    show()
    document.getElementById('theme')?.addEventListener('click', () => {
      const wanted = isDark() ? 'light' : 'dark'
      chosen = (wanted === 'dark') === dark.matches ? null : wanted
      kept.write(chosen)
      show()
    })
  })
})()
