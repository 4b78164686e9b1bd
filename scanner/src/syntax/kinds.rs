//! Node kinds and fields of tree-sitter-python as enums, so that the lowering matches on integers.

use std::sync::OnceLock;

use tree_sitter::Language;

macro_rules! kinds {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// A node kind that the lowering knows; everything else is `Other`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { Other, Error, $($name),* }
        const KINDS: &[(&str, Kind)] = &[$(($text, Kind::$name)),*];
    };
}

kinds! {
    Identifier = "identifier", Attribute = "attribute", Subscript = "subscript", Slice = "slice",
    Call = "call", ArgumentList = "argument_list", KeywordArgument = "keyword_argument",
    ListSplat = "list_splat", DictionarySplat = "dictionary_splat",
    Parenthesized = "parenthesized_expression", ParenthesizedSplat = "parenthesized_list_splat",
    Tuple = "tuple", List = "list", Set = "set", Dictionary = "dictionary", Pair = "pair",
    String = "string", Concatenated = "concatenated_string", StringStart = "string_start",
    StringContent = "string_content", StringEnd = "string_end", Interpolation = "interpolation",
    FormatSpecifier = "format_specifier", FormatExpression = "format_expression",
    Integer = "integer", Float = "float", True = "true", False = "false", NoneValue = "none",
    Ellipsis = "ellipsis", Unary = "unary_operator", Not = "not_operator",
    Boolean = "boolean_operator", Binary = "binary_operator", Comparison = "comparison_operator",
    Conditional = "conditional_expression", Lambda = "lambda", ListComp = "list_comprehension",
    SetComp = "set_comprehension", DictComp = "dictionary_comprehension",
    GeneratorExp = "generator_expression", ForIn = "for_in_clause", IfClause = "if_clause",
    Await = "await", Yield = "yield", ExpressionList = "expression_list",
    PatternList = "pattern_list", TuplePattern = "tuple_pattern", ListPattern = "list_pattern",
    ListSplatPattern = "list_splat_pattern", DictSplatPattern = "dictionary_splat_pattern",
    Type = "type", GenericType = "generic_type", TypeParameter = "type_parameter",
    Named = "named_expression", AsPattern = "as_pattern", AsTarget = "as_pattern_target",
    ExpressionStatement = "expression_statement", Assignment = "assignment",
    Augmented = "augmented_assignment", FunctionDefinition = "function_definition",
    ClassDefinition = "class_definition", Decorated = "decorated_definition",
    Decorator = "decorator", Parameters = "parameters", LambdaParameters = "lambda_parameters",
    DefaultParameter = "default_parameter", TypedParameter = "typed_parameter",
    TypedDefaultParameter = "typed_default_parameter", KeywordSeparator = "keyword_separator",
    If = "if_statement", Elif = "elif_clause", Else = "else_clause", For = "for_statement",
    While = "while_statement", Try = "try_statement", Except = "except_clause",
    ExceptGroup = "except_group_clause", Finally = "finally_clause", With = "with_statement",
    WithClause = "with_clause", WithItem = "with_item", Match = "match_statement",
    CaseClause = "case_clause", CasePattern = "case_pattern", Import = "import_statement",
    ImportFrom = "import_from_statement", FutureImport = "future_import_statement",
    AliasedImport = "aliased_import", DottedName = "dotted_name", Wildcard = "wildcard_import",
    RelativeImport = "relative_import", Return = "return_statement", Raise = "raise_statement",
    Assert = "assert_statement", Delete = "delete_statement", Global = "global_statement",
    Nonlocal = "nonlocal_statement", Break = "break_statement", PrintStatement = "print_statement",
    ExecStatement = "exec_statement", Comment = "comment", Block = "block", Module = "module",
    LineContinuation = "line_continuation",
}

impl Kind {
    /// Whether children of such a node may be named; those without are most of a text.
    pub(super) const fn has_fields(self) -> bool {
        !matches!(
            self,
            Self::Module
                | Self::ArgumentList
                | Self::List
                | Self::Tuple
                | Self::Set
                | Self::Dictionary
                | Self::String
                | Self::Concatenated
                | Self::Parenthesized
                | Self::ExpressionStatement
                | Self::ExpressionList
                | Self::Return
                | Self::Await
                | Self::Decorator
        )
    }
}

macro_rules! fields {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// A field of a node.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field { Absent, $($name),* }
        const FIELDS: &[(&str, Field)] = &[$(($text, Field::$name)),*];
    };
}

fields! {
    Left = "left", Right = "right", Type = "type", Function = "function", Arguments = "arguments",
    Object = "object", Attribute = "attribute", Value = "value", Subscript = "subscript",
    Name = "name", Key = "key", Operator = "operator", Body = "body", Parameters = "parameters",
    ReturnType = "return_type", Superclasses = "superclasses", Definition = "definition",
    Condition = "condition", Consequence = "consequence", Alternative = "alternative",
    Alias = "alias", ModuleName = "module_name", Subject = "subject", Guard = "guard",
    Operators = "operators", Code = "code", Expression = "expression", Argument = "argument",
}

/// Tokens that are never the operator of an expression; most tokens of a text are of these.
const PUNCTUATION: &[&str] = &[
    "(", ")", "[", "]", "{", "}", ",", ":", ".", "=", ";", "->", "def", "class", "return", "if",
    "elif", "else", "for", "while", "import", "from", "as", "try", "except", "finally", "with",
    "lambda", "raise", "async", "yield", "del", "assert", "global", "nonlocal",
];

/// What a child of a node can be to the lowering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Named(Kind),
    /// A token that may be an operator: its field says so.
    Token,
    /// A token that says nothing beyond what the kind of its parent does.
    Punctuation,
}

/// Numbers of the grammar, looked up once.
pub(super) struct Tables {
    kinds: Vec<Kind>,
    roles: Vec<Role>,
    fields: Vec<Field>,
}

impl Tables {
    pub(super) fn get() -> &'static Self {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        TABLES.get_or_init(|| {
            let language = Language::new(tree_sitter_python::LANGUAGE);
            let mut kinds = vec![Kind::Other; language.node_kind_count()];
            for (id, slot) in kinds.iter_mut().enumerate() {
                let Ok(id) = u16::try_from(id) else { break };
                if !language.node_kind_is_named(id) {
                    continue;
                }
                if let Some(text) = language.node_kind_for_id(id)
                    && let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == text)
                {
                    *slot = *kind;
                }
            }
            let roles = (0..kinds.len())
                .map(|id| {
                    let Ok(number) = u16::try_from(id) else {
                        return Role::Token;
                    };
                    if language.node_kind_is_named(number) {
                        return Role::Named(kinds[id]);
                    }
                    match language.node_kind_for_id(number) {
                        Some(text) if PUNCTUATION.contains(&text) => Role::Punctuation,
                        _ => Role::Token,
                    }
                })
                .collect();
            let mut fields = vec![Field::Absent; language.field_count() + 1];
            for (id, slot) in fields.iter_mut().enumerate() {
                let Ok(id) = u16::try_from(id) else { break };
                if let Some(text) = language.field_name_for_id(id)
                    && let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == text)
                {
                    *slot = *field;
                }
            }
            Self {
                kinds,
                roles,
                fields,
            }
        })
    }

    pub(super) fn kind(&self, id: u16) -> Kind {
        // The id of ERROR is the largest number and outside of the table.
        self.kinds.get(id as usize).copied().unwrap_or(Kind::Error)
    }

    pub(super) fn role(&self, id: u16) -> Role {
        self.roles
            .get(id as usize)
            .copied()
            .unwrap_or(Role::Named(Kind::Error))
    }

    pub(super) fn field(&self, id: Option<std::num::NonZeroU16>) -> Field {
        id.and_then(|id| self.fields.get(id.get() as usize).copied())
            .unwrap_or(Field::Absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the grammar's own list of its nodes.
    #[test]
    fn kinds_without_fields_have_none_in_the_grammar() {
        let types: serde_json::Value =
            serde_json::from_str(tree_sitter_python::NODE_TYPES).expect("the grammar's list");
        let all = types.as_array().expect("a list");
        let without = KINDS.iter().filter(|one| !one.1.has_fields());
        for (name, _) in without {
            let node = all
                .iter()
                .find(|one| one["type"] == *name && one["named"] == true);
            let fields = node.and_then(|one| one["fields"].as_object());
            assert!(
                node.is_some() && fields.is_none_or(serde_json::Map::is_empty),
                "{name}"
            );
        }
    }
}
