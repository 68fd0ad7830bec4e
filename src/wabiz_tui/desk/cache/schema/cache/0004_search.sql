-- The index of words made anew: marks are parts of words, as the scripts of India want it. migrations.py fills it again.
DROP TABLE words;
CREATE VIRTUAL TABLE words USING fts5 (
    body, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);

-- The names, numbers and user names that a conversation is found by. A file that was just made anew has none until they are asked for.
CREATE VIRTUAL TABLE names USING fts5 (
    conversation UNINDEXED, name, tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);
