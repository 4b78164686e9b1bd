-- Defines the commands and enables the server. Set vim.g.saferun_enable = false to do the latter yourself.
if vim.g.loaded_saferun then
  return
end
vim.g.loaded_saferun = 1

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('saferun: Neovim 0.11 or newer is needed', vim.log.levels.WARN)
  return
end

if vim.g.saferun_enable ~= false then
  vim.lsp.enable('saferun')
end

local function command(name, method, options)
  vim.api.nvim_create_user_command(name, function(args) require('saferun')[method](args) end, options)
end

command('SafeRun', 'run', { range = true, desc = 'Run the file, or the selected lines, in the sandbox' })
command('SafeRunOverride', 'run_with_override', { nargs = '*', desc = 'Run what the policy refuses, for a reason' })
command('SafeRunCancel', 'cancel', { desc = 'End the runs under way' })
command('SafeRunClear', 'clear', { desc = 'Clear the results of runs from this file' })
command('SafeRunOutput', 'output', { desc = 'Show the output of the last run again' })
command('SafeRunHistory', 'history', { desc = 'Show earlier runs' })
command('SafeRunStatus', 'status', { desc = 'Show how the daemon is' })

vim.keymap.set({ 'n', 'x' }, '<Plug>(saferun-run)', ':SafeRun<CR>', { silent = true, desc = 'Run in sandbox' })
