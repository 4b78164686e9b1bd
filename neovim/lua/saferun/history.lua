-- Runs of this editor, newest first, in the quickfix list; <CR> opens the account of one.
local M = {}

local function text(value)
  return (tostring(value):gsub('%c', ' '))
end

function M.show(all)
  local items = {}
  for _, run in ipairs(all) do
    items[#items + 1] = {
      filename = run.report ~= vim.NIL and run.report or nil,
      lnum = 1,
      text = text(('%s  %s  %s'):format(run.name, run.status, run.message)),
    }
  end
  vim.fn.setqflist({}, ' ', { title = 'SafeRun history', items = items })
  vim.cmd.copen()
end

return M
