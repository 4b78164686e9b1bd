-- Neovim 0.11's native configuration: vim.lsp.enable('saferun') is all that is needed, plugin or not.
return {
  cmd = { 'saferun-lsp' },
  filetypes = { 'python', 'markdown', 'yaml' },
  root_markers = { '.saferun.yaml', 'pyproject.toml', '.git' },
  workspace_required = false,
  capabilities = {
    experimental = { saferun = { events = true, overridePrompt = true } },
  },
  handlers = {
    ['saferun/runStarted'] = function(_, params) require('saferun.run').started(params) end,
    ['saferun/runEvent'] = function(_, params) require('saferun.run').event(params) end,
    ['saferun/runFinished'] = function(_, params) require('saferun.run').finished(params) end,
    ['saferun/overridePrompt'] = function(_, params) return require('saferun.run').reason(params) end,
  },
  settings = { saferun = {} },
}
