-- :checkhealth saferun
local M = {}

function M.check()
  local health = vim.health
  health.start('saferun')
  if vim.fn.has('nvim-0.11') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  else
    health.error('Neovim 0.11 or newer is needed')
  end
  local config = vim.lsp.config.saferun
  local program = config and config.cmd and config.cmd[1] or 'saferun-lsp'
  if vim.fn.executable(program) == 1 then
    local version = vim.fn.system({ program, '--version' }):gsub('%s+$', '')
    health.ok(version .. ' at ' .. vim.fn.exepath(program))
  else
    health.error(program .. ' is not executable', { 'put the folder with SafeRun’s binaries on PATH', "or vim.lsp.config('saferun', { cmd = { '/path/to/saferun-lsp' } })" })
    return
  end
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('saferun') then
    health.warn('the server is not enabled', { "vim.lsp.enable('saferun')" })
  end
  if vim.fn.executable('saferunctl') == 0 then
    health.warn('saferunctl is not on PATH; it starts the daemon', { 'put the folder with SafeRun’s binaries on PATH' })
    return
  end
  local status = vim.system({ 'saferunctl', 'status' }, { env = { SAFERUN_NO_START = '1' }, text = true }):wait(10000)
  if status.code == 0 then
    health.ok('the daemon answers')
  else
    health.info('no daemon runs; the first run starts it. See also: saferunctl doctor')
  end
end

return M
