;;; emacs --batch -Q -l e2e.el FILE SETTINGS: eglot without any package of ours; SETTINGS holds what docs/editors.md gives.
;;; Exits 0 or 1.
(setq load-prefer-newer t backup-inhibited t create-lockfiles nil)
(let ((default-directory "/usr/share/emacs/site-lisp/elpa/"))
  (when (file-directory-p default-directory) (normal-top-level-add-subdirs-to-load-path)))
(require 'package)
(setq package-directory-list '("/usr/share/emacs/site-lisp/elpa" "/usr/share/emacs/site-lisp/elpa-src"))
(package-initialize)
(require 'eglot)
(require 'flymake)

;; Messages that the server had shown.
(defvar shown nil)

(defun until (what condition)
  "Wait at most 60 s for CONDITION, else fail with WHAT and what there is to see."
  (let ((n 0))
    (while (and (< n 1200) (not (funcall condition)))
      (accept-process-output nil 0.05)
      (setq n (1+ n)))
    (unless (funcall condition)
      (message "FAIL %s\nSHOWN %S\nTEXT %S\nUNREAD %S" what shown (buffer-string)
               (with-current-buffer (process-buffer (jsonrpc--process (eglot--current-server-or-lose))) (buffer-string)))
      (kill-emacs 1))))

(defun execute (command &rest arguments)
  "Ask for COMMAND and wait for its answer.
`jsonrpc-request' leaves the process filter by a `throw' when the answer is there, and what came in the same piece, here
the message of the result, stays unread in the process' buffer until the server says more. So this waits by itself."
  (let (answered)
    (jsonrpc-async-request (eglot--current-server-or-lose) :workspace/executeCommand
                           (list :command command :arguments (vconcat arguments))
                           :success-fn (lambda (_) (setq answered t)))
    (until (format "no answer to %s" command) (lambda () answered))))

(cl-defmethod eglot-handle-notification :before (_server (_method (eql window/showMessage)) &key _type message)
  (push message shown))

(defun fail (what)
  (message "FAIL %s\nSHOWN %S" what shown)
  (kill-emacs 1))

(defun report ()
  "Wait for the message of a result, and give the report that it names."
  (let (path)
    (until "no message of the result"
           (lambda () (setq path (cl-some (lambda (m) (and (string-match "See \\(/.*\\)$" m) (match-string 1 m))) shown))))
    (setq shown nil)
    (with-temp-buffer
      (insert-file-contents path)
      (message "REPORT %s" (buffer-string))
      (buffer-string))))

(defun other (folder name mode text)
  "Open a new file with TEXT in MODE, and wait for what is found in it."
  (with-temp-file (expand-file-name name folder) (insert text))
  (find-file (expand-file-name name folder))
  (funcall mode)
  (apply #'eglot (eglot--guess-contact))
  (until (format "no diagnostics in %s" name) (lambda () (flymake-start) (flymake-diagnostics))))

(defun actions-at-diagnostic ()
  (let ((d (car (flymake-diagnostics))))
    (append (eglot-code-actions (flymake-diagnostic-beg d) (flymake-diagnostic-end d) nil nil) nil)))

(let ((file (expand-file-name (pop command-line-args-left))))
  (setq eglot-sync-connect 10 eglot-connect-timeout 10 eglot-autoshutdown nil
        eglot-confirm-server-initiated-edits nil)
  (load (expand-file-name (pop command-line-args-left)))
  (find-file file)
  (python-mode)
  (apply #'eglot (eglot--guess-contact))
  (until "no diagnostics" (lambda () (flymake-start) (flymake-diagnostics)))
  (let* ((d (car (flymake-diagnostics)))
         (actions (append (eglot-code-actions (flymake-diagnostic-beg d) (flymake-diagnostic-end d) nil nil) nil))
         (titles (mapcar (lambda (a) (plist-get a :title)) actions))
         (fix (cl-find-if (lambda (a) (string-match "safe_load" (plist-get a :title))) actions)))
    (message "DIAGNOSTIC %s" (flymake-diagnostic-text d))
    (message "ACTIONS %S" titles)
    (unless (and fix (member "SafeRun: Run in sandbox" titles)) (kill-emacs 1))
    (eglot--apply-workspace-edit (plist-get fix :edit)))
  (until "the edit was not applied" (lambda () (string-match "safe_load" (buffer-string))))
  (eglot--signal-textDocument/didChange) ; batch mode has no idle time, in which eglot does this
  (until "the diagnostic stays" (lambda () (flymake-start) (not (cl-some (lambda (d) (string-match "SR631" (format "%s" (flymake-diagnostic-text d)))) (flymake-diagnostics)))))
  (erase-buffer)
  (insert "print(6 * 7)\n")
  (eglot--signal-textDocument/didChange)
  (execute "saferun.run" (list :uri (eglot--path-to-uri file)))
  (unless (string-match "\n42\n" (report)) (fail "the report has no output"))
  ;; A block of Markdown and a policy, each in the mode that a person would have.
  (other (file-name-directory file) "a.md" #'markdown-mode "# Notes\n\n```python\neval('6 * 8')\nprint(6 * 8)\n```\n")
  (let ((run (cl-find-if (lambda (a) (string-match "Run this block in the sandbox" (plist-get a :title))) (actions-at-diagnostic))))
    (unless run (fail "no action for a block"))
    (let ((command (plist-get run :command)))
      (apply #'execute (plist-get command :command) (append (plist-get command :arguments) nil))))
  (unless (string-match "\n48\n" (report)) (fail "the report of the block has no output"))
  (set-buffer-modified-p nil)
  (other (file-name-directory file) ".saferun.yaml" #'yaml-mode "version: 1\nlimts:\n  time: 5s\n")
  (unless (string-match "limts" (flymake-diagnostic-text (car (flymake-diagnostics)))) (fail "no word on the policy"))
  (eglot-shutdown (eglot--current-server-or-lose))
  (set-buffer-modified-p nil)
  (message "PASS")
  (kill-emacs 0))
