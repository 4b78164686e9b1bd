-- Recorded runs, newest first, in the quickfix list; <CR> opens the account of one, which the server makes then.
local M = {}

local function text(value)
  return (tostring(value):gsub('%c', ' '))
end

local function line(run)
  local status = run.status == vim.NIL and 'under way' or run.status
  if type(run.exitCode) == 'number' then
    status = status .. ' ' .. run.exitCode
  end
  return text(('%s  %s  %s  %.0f ms  %s'):format(run.name, status, run.risk, run.wallMs or 0, run.message))
end

-- `account` is asked for the path of a run's account, and gives it to its callback.
function M.show(all, account)
  local items = {}
  for _, run in ipairs(all) do
    items[#items + 1] = { text = line(run), user_data = run.id }
  end
  vim.fn.setqflist({}, ' ', { title = 'SafeRun history', items = items })
  vim.cmd('botright copen')
  vim.keymap.set('n', '<CR>', function()
    -- The window may show another list by now, with entries of its own.
    if vim.fn.getqflist({ title = 0 }).title ~= 'SafeRun history' then
      return '<CR>'
    end
    local item = vim.fn.getqflist()[vim.fn.line('.')]
    if item and type(item.user_data) == 'string' then
      vim.schedule(function()
        account(item.user_data, function(path)
          vim.cmd('wincmd p')
          vim.cmd.view(vim.fn.fnameescape(path))
        end)
      end)
    end
    return ''
  end, { buffer = 0, expr = true, desc = 'Open the account of this run' })
end

return M
