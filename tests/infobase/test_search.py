"""The search: what it finds, in which order, in any script, and that no input breaks it."""

from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.infobase.conftest import added, changed, found, snippet
from tests.support.effort import at_most


def test_every_word_must_be_in_title_tags_or_content(user: User) -> None:
    added(user, "Compression", "A compressor evens out the vocal.")
    added(user, "Vocal", "Sing it again.", tags=["compressor"])
    added(user, "Drums", "No compressor here.")
    assert found(user, "compressor vocal") == ["Vocal", "Compression"]
    assert found(user, "compressor vocal nothing") == []


@pytest.mark.parametrize(
    ("content", "search"),
    [
        ("She finds it", "find"),
        ("One mix", "mixes"),
        ("They were mixing", "mixed"),
        ("Two studies", "study "),
        ("hoping", "hoped"),
        ("The possibility", "possibilities"),
        ("The SKY and the tie", "sky tie"),
        ("Sie mischt Stimmen", "mischt"),
    ],
)
def test_english_word_forms_match_and_others_as_typed(user: User, content: str, search: str) -> None:
    added(user, "Note", content)
    assert found(user, search + " -nothing") == ["Note"]
    # Not as a beginning: the quotes take that away.
    assert found(user, f'"{search.split(maxsplit=1)[0]}"') == ["Note"]


@pytest.mark.parametrize(
    ("content", "search"),
    [
        ("日本語のテスト", "テスト"),
        ("日本語のテスト", "語"),
        ("日本語のテスト", "ﾃｽﾄ"),
        ("我在学习混音技术", "混音"),
        ("我在学习混音技术", "学习混音技"),
        ("我在学习 EQ 混音", "eq混音"),
        ("𠮷野家で食べる", "𠮷野"),
        ("한국어로 쓴 메모", "국어"),
        ("ภาษาไทยเขียนติดกัน", "ไทย"),
        ("น้ำเปล่า", "น้ำ"),
        ("هذا كِتَابٌ جديد", "كتاب"),
        ("أحمد", "احمد"),
        ("שָׁלוֹם", "שלום"),
        ("Сведение барабанов", "сведение"),
        ("Ёлка и café", "елка cafe"),
        ("naive", "naïve"),
        ("cafe\u0301", "café"),
        ("ΟΔΟΣ", "οδός"),
        ("Straße", "STRASSE"),
        ("हिन्दी में लिखा", "हिन्दी"),
        ("\uff21\uff22\uff23", "abc"),
        ("co\u00adoperate", "cooperate"),
        ("Played it live \U0001f3b8\U0001f525!", "\U0001f525"),
        ("a\U0001f3b8b", "\U0001f3b8"),
        ("\u2764\ufe0f this take", "\u2764"),
        ("well done \U0001f44d\U0001f3fd", "\U0001f44d"),
        ("well done \U0001f44d", "\U0001f44d\U0001f3fd"),
        ("from \U0001f1f3\U0001f1f4 with love", "\U0001f1f3\U0001f1f4"),
        ("the \U0001f468\u200d\U0001f469\u200d\U0001f467 comes", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    ],
)
def test_any_script(user: User, content: str, search: str) -> None:
    added(user, "Note", content)
    added(user, "Other", "nothing of that")
    assert found(user, search) == ["Note"]
    assert "<mark>" in snippet(user, search)


def test_characters_in_another_order_are_another_word(user: User) -> None:
    added(user, "Note", "本日は晴天 音を混ぜる \U0001f3b8\U0001f525")
    assert found(user, "日本") == found(user, "混音") == found(user, "\U0001f525\U0001f3b8") == []


def test_emoji_are_found_one_by_one_in_titles_and_tags_too(user: User) -> None:
    added(user, "Release \U0001f680", "nothing")
    added(user, "Other", "nothing", tags=["\U0001f680", "done \u2705"])
    assert found(user, "\U0001f680") == ["Release \U0001f680", "Other"]
    assert found(user, "\U0001f680\u2705") == []
    assert found(user, "\U0001f680 \u2705") == ["Other"]
    assert found(user, 'nothing -"\u2705"') == ["Release \U0001f680"]
    assert found(user, "\U0001f681") == []


@pytest.mark.parametrize(
    ("content", "search"),
    [
        ("input/output gain", "output"),
        ("input/output gain", "output/gain"),
        (r"C:\mix\final_v2.wav", "final"),
        ("mail ada@questlog.test", "questlog"),
        ("https://questlog.test/a?b=c&d=e#f", "questlog test b"),
        ("on 2031-05-09", "05"),
        ("on 2031-05-09", "2031-05-09"),
        ("1 + 2 ~ 3", "1+2"),
        ("a < b and c > d", "b and c"),
        ("<script>alert(1)</script>", "alert"),
        ("&amp; friends", "amp"),
        ("don't", "don't"),
        ("it's -5 dB", "-5"),
        ("1e5 and 12.5", "1e5 12.5"),
        ("**bold**text", "bold"),
    ],
)
def test_what_is_joined_is_found_one_by_one(user: User, content: str, search: str) -> None:
    added(user, "Note", content)
    assert found(user, search) == ["Note"]


def test_phrases(user: User) -> None:
    added(user, "A", "the drum bus is hot")
    added(user, "B", "the bus of the drum")
    assert set(found(user, "drum bus")) == {"A", "B"}
    assert found(user, '"drum bus"') == found(user, "“drum bus”") == found(user, '"DRUMS bus') == ["A"]
    assert found(user, '"of the drum"') == ["B"]
    assert found(user, 'bus -"drum bus"') == ["B"]
    assert found(user, '"drum bus" "is hot"') == ["A"]
    assert found(user, '"drum bus" "of the"') == found(user, '"drum is"') == []


def test_a_phrase_does_not_reach_from_one_field_into_the_next(user: User) -> None:
    added(user, "Drum", "bus", tags=["loud"])
    assert found(user, '"drum bus"') == found(user, '"drum loud"') == found(user, '"loud bus"') == []


def test_exclusions(user: User) -> None:
    added(user, "Room", "the treatment of drums")
    added(user, "Kick", "drum and bass")
    assert found(user, "drum -treatments") == ["Kick"]
    assert found(user, "drum -bass") == ["Room"]
    assert found(user, "-bass") == ["Room"]
    assert found(user, "-treatments -bass") == []
    assert found(user, "drum - bass") == found(user, "drum-bass") == ["Kick"]


def test_alternatives(user: User) -> None:
    added(user, "Cat", "purrs")
    added(user, "Dog", "barks loud")
    assert set(found(user, "purrs or barks")) == {"Cat", "Dog"}
    assert found(user, "purrs loud or barks") == ["Dog"]
    assert found(user, "purrs or barks -loud") == ["Cat"]
    assert found(user, "or") == []


def test_the_last_word_may_be_a_beginning(user: User) -> None:
    added(user, "Note", "compression of drums")
    assert found(user, "dr") == found(user, "compression dr") == found(user, 'dr "compression of"') == ["Note"]
    assert found(user, "dr -bass") == ["Note"]
    assert found(user, "dr compression") == found(user, "d") == found(user, '"dr"') == []
    assert found(user, "compression -dr") == ["Note"]


def test_stop_words_count_only_alone(user: User) -> None:
    added(user, "Note", "drums loud")
    added(user, "Other", "who is it")
    assert found(user, "the drums of") == ["Note"]
    assert found(user, "the drums or the") == ["Note"]
    assert found(user, '"the" drums') == []
    assert found(user, "it is") == ["Other"]
    assert found(user, "the") == []


@pytest.mark.parametrize(
    ("search", "beside_a_word"),
    [
        *(
            (text, True)
            for text in ("%", "_", "'", ":*", "!", '"', '""', '"""', "\\", "&|!()", "<->", "-", "- -", "~", "*")
        ),
        *(
            (text, True)
            for text in ("(" * 190, "\u2192", "\x01", "'':*", "\\'", "؟", "。", "$$", "{}", '"\\', "—", "…")
        ),
        *(
            (text, False)
            for text in ('-"', "/open", "/tag/x", "/unpinned", "%s", "ABCD:", "a'b", "foo:*", "'text' <-> 'x'")
        ),
    ],
)
def test_hostile_searches_break_nothing(user: User, search: str, beside_a_word: bool) -> None:
    """They find nothing, and beside a word what is found by the word; or they are a word that is not there."""
    added(user, "Note", "text 1 2", tags=["y"])
    assert found(user, search) == []
    assert found(user, f"{search} text") == (["Note"] if beside_a_word else [])


def test_punctuation_of_any_script_ends_a_word(user: User) -> None:
    added(user, "Note", "“drum”—bass… mix。vocal؟ synth¿room? gain\u00d72 रंग। 🎵kick🎵")
    for word in ("drum", "bass", "mix", "vocal", "synth", "room", "gain", "रंग", "kick"):
        assert found(user, f'"{word}"') == ["Note"], word


def test_a_mebibyte_of_parentheses_is_refused(user: User) -> None:
    user.get("/infobase", query={"search": "(" * 2**20}).invalid("search")
    user.post("/infobase", {"title": "x", "content": "(" * (2**20 - 100)}).invalid("content")
    added(user, "Note", "(" * 99_990 + " drums")
    assert found(user, "drums") == ["Note"]


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_search_is_an_error(user: User, search: str) -> None:
    assert user.get("/infobase", query={"search": search}).status == 200


def test_no_content_is_an_error(user: User) -> None:
    @settings(max_examples=60)
    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
    def check(content: str) -> None:
        entry = added(user, "Note", content + " needle")
        assert entry["content"] == content + " needle"
        snippet(user, "needle")
        user.delete(f"/infobase/{entry['id']}", query={"permanent": "true"})

    check()


WORDS = st.sampled_from(["drum", "drums", "bass", "the", "mix", "mixing", "日本", "本日", "café"])


@settings(max_examples=30)
@given(st.data())
def test_the_index_is_what_a_new_one_would_be(new_user: NewUser, database: Database, data: st.DataObject) -> None:
    """After any changes the words are those of the documents as they are: nothing of what they were is left."""
    user = new_user()
    entries: list[dict[str, Any]] = []
    for _ in range(data.draw(st.integers(1, 8))):
        move = data.draw(st.sampled_from(["add", "change", "trash", "delete"]))
        title, content = (" ".join(data.draw(st.lists(WORDS, min_size=1, max_size=4))) for _ in range(2))
        if move == "add" or not entries:
            entries.append(added(user, title, content, tags=data.draw(st.lists(WORDS, max_size=2))))
        elif move == "change":
            user.put(f"/infobase/{data.draw(st.sampled_from(entries))['id']}", {"title": title, "content": content})
        else:
            entry = data.draw(st.sampled_from(entries))
            user.delete(f"/infobase/{entry['id']}", query={"permanent": "true"} if move == "delete" else None)
    stored = database.query(
        "SELECT word, block, entries, headings, titles FROM search_words WHERE user_id = %s ORDER BY word, block",
        user.id,
    )
    expected = database.query(
        """
        SELECT w.word, d.number / 64 AS block, bit_or(1::bigint << d.number %% 64) AS entries,
               coalesce(bit_or(1::bigint << d.number %% 64) FILTER (WHERE w.in_heading), 0) AS headings,
               coalesce(bit_or(1::bigint << d.number %% 64) FILTER (WHERE w.in_title), 0) AS titles
          FROM infobase_entries AS e JOIN search_documents AS d ON d.user_id = e.user_id AND d.id = e.id,
               search_words_of(search_vectors(e.title, e.tags, e.content), infobase_filters_of(e)) AS w
         WHERE e.user_id = %s GROUP BY 1, 2 ORDER BY w.word COLLATE "C", 2
        """,
        user.id,
    )
    assert stored == expected


def test_what_is_changed_is_found_by_what_it_says_now(user: User) -> None:
    entry = added(user, "One", "drums")
    changed(user, entry, content="bass", tags=["loud"])
    assert found(user, "drums") == []
    assert found(user, "bass loud") == ["One"]


def test_more_than_a_block_of_entries(user: User) -> None:
    for n in range(130):
        added(user, f"N{n}", f"drums number{n}")
    assert found(user, "number129") == ["N129"]
    assert found(user, "number63 drums") == ["N63"]
    assert found(user, '"drums number64"') == ["N64"]
    page = user.get("/infobase", query={"search": "drums", "page_size": 1}).data
    assert page["total"] == 130
    assert user.get("/infobase", query={"search": "drums -number7", "page_size": 1}).data["total"] == 129


def test_writers_at_once_do_not_lose_each_others_words(user: User) -> None:
    numbers = iter(range(8))
    at_once(8, lambda: user.post("/infobase", {"title": f"E{next(numbers)}", "content": "drums"}))
    assert sorted(found(user, "drums")) == [f"E{n}" for n in range(8)]


# Order ---------------------------------------------------------------------------------------------------------------


def test_titles_first_then_tags_then_the_rest_each_by_rank_then_by_change(user: User, clock: Clock) -> None:
    clock.set("2031-05-07T12:00:00Z")
    entries = []
    for title, content, tags in [
        ("Tag", "", ["drum"]),
        ("Once, the older", "a drum", []),
        ("Once", "a drum", []),
        ("Often", "drum drum drum", []),
        ("Drum", "", []),
        ("Drum often", "drum drum", []),
        ("Tag often", "drum drum", ["drum"]),
    ]:
        clock.advance("PT1M")
        entries.append(added(user, title, content, tags=tags))
    ranked = ["Drum often", "Drum", "Tag often", "Tag", "Often"]
    assert found(user, "drum") == [*ranked, "Once", "Once, the older"]
    clock.advance("PT1M")
    changed(user, entries[1], category="Other")
    assert found(user, "drum") == [*ranked, "Once, the older", "Once"]
    assert found(user, "drum", sort="title") == [*ranked, "Once, the older", "Once"]


def test_the_title_must_have_every_word_to_come_first(user: User) -> None:
    added(user, "Drum bus", "x")
    added(user, "Drum", "bus bus bus drum bus", tags=["bus"])
    assert found(user, "drum bus") == ["Drum bus", "Drum"]
    assert found(user, '"drum bus"') == ["Drum bus", "Drum"]


def test_words_that_stand_together_rank_higher(user: User) -> None:
    added(user, "Near", "drum bus")
    added(user, "Far", "drum " + "x " * 50 + "bus")
    assert found(user, "drum bus") == ["Near", "Far"]


def test_a_phrase_that_repeats_a_word_is_ranked_by_each_word_once(user: User, database: Database) -> None:
    # Ranked as a phrase, this takes longer than a statement may.
    added(user, "Repeats", "\u6f22" * 20_000)
    added(user, "Repeats it less", "\u6f22" * 100)
    assert found(user, "\u6f22" * 199) == ["Repeats"]
    assert found(user, "\u6f22" * 50) == ["Repeats", "Repeats it less"]
    for pattern, ranking in [
        ("('a':~)", "('a':~)"),
        ("('a':~) <-> ('b':~)", "('a':~) <-> ('b':~)"),
        ("('a':~) <-> ('b':~ | 'c':~) <-> ('a':~)", "('a':~) & ('b':~ | 'c':~)"),
    ]:
        assert database.query("SELECT internal.search_ranking(%s) AS ranking", pattern)[0]["ranking"] == ranking


def test_pinned_entries_do_not_come_first_in_a_search(user: User) -> None:
    added(user, "Drum", "")
    added(user, "Other", "drum", is_pinned=True)
    assert found(user, "drum") == ["Drum", "Other"]


def test_of_more_than_200_matches_all_are_listed_once(user: User, database: Database) -> None:
    with database.admin() as connection, connection.transaction():
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        connection.execute("SET LOCAL ROLE questlog_owner")
        connection.execute(
            "SELECT internal.create_infobase_entry(gen_random_uuid(), CASE WHEN n = 1 THEN 'Drum' ELSE 'N' || n END,"
            " 'drum', 'Tips', '{}') FROM generate_series(1, 610) AS n"
        )
    pages = [user.get("/infobase", query={"search": "drum", "page": n}).data for n in range(1, 8)]
    titles = [entry["title"] for page in pages for entry in page["entries"]]
    assert {page["total"] for page in pages} == {610}
    assert titles == ["Drum", *(f"N{n}" for n in range(610, 1, -1))]


# Long contents -------------------------------------------------------------------------------------------------------


def test_phrases_are_found_anywhere_in_a_long_content(user: User) -> None:
    filler = " ".join(f"w{n}" for n in range(9_000))
    added(user, "Long", f"{filler} drum bus is hot " + "the " * 1_000 + "very last words")
    assert found(user, '"drum bus is hot"') == found(user, '"very last words"') == ["Long"]
    for start in (1_890, 1_899, 1_999, 3_799, 5_700):
        assert found(user, '"' + " ".join(f"w{n}" for n in range(start, start + 20)) + '"') == ["Long"]
    assert found(user, '"w1 w3"') == []


def test_characters_are_found_anywhere_in_a_long_content(user: User) -> None:
    added(user, "Long", "音楽の話。" * 6_000 + "日本語のテスト")
    assert found(user, "日本語のテスト") == ["Long"]
    assert found(user, "本日") == []


def test_a_word_that_is_too_long_for_the_index_is_left_out(user: User) -> None:
    added(user, "Long", "x" * 5_000 + " drum " + "長" * 3_000)
    assert found(user, "drum") == ["Long"]


# Snippets ------------------------------------------------------------------------------------------------------------


def test_a_snippet_shows_30_words_around_the_first_match(user: User) -> None:
    words = [f"w{n}" for n in range(100)]
    words[50] = "Drums"
    added(user, "Note", " ".join(words))
    shown = snippet(user, "drum")
    assert len(shown.split()) == 30
    assert "w49 <mark>Drums</mark> w51" in shown


def test_a_snippet_of_the_end_shows_30_words_too(user: User) -> None:
    added(user, "Note", " ".join(f"w{n}" for n in range(50)) + " drums.")
    assert snippet(user, "drums") == " ".join(f"w{n}" for n in range(21, 50)) + " <mark>drums</mark>"


def test_a_snippet_is_html_in_which_nothing_but_mark_is_markup(user: User) -> None:
    added(user, "Note", "<script>alert(\"drum\")</script> & <b>'x'</b>\n\n# drum\x07\x02s")
    assert snippet(user, "drum") == (
        "script&gt;alert(&quot;<mark>drum</mark>&quot;)&lt;/script&gt; &amp; &lt;b&gt;&#x27;x&#x27;&lt;/b&gt;  # "
        "<mark>drum</mark>  s"
    )
    [entry] = user.get("/infobase").data["entries"]
    assert entry["content"].startswith("<script>")
    assert "snippet" not in entry


def test_a_snippet_without_a_match_shows_the_beginning(user: User) -> None:
    added(user, "Drums", " ".join(f"w{n}" for n in range(40)))
    assert snippet(user, "drums") == " ".join(f"w{n}" for n in range(30))
    added(user, "Bass", "")
    assert snippet(user, "bass") == ""


def test_every_match_is_marked(user: User) -> None:
    added(user, "Note", "Mixing the mix of drums, drum by drum; not the dr. Café")
    assert snippet(user, "mixes drums") == (
        "<mark>Mixing</mark> the <mark>mix</mark> of <mark>drums</mark>, <mark>drum</mark> by <mark>drum</mark>; "
        "not the dr. Café"
    )
    assert snippet(user, '"the mix" cafe') == (
        "Mixing <mark>the</mark> <mark>mix</mark> of drums, drum by drum; not the dr. <mark>Café</mark>"
    )
    assert "<mark>drums</mark>, <mark>drum</mark>" in snippet(user, "dr")
    assert "<mark>" not in snippet(user, "-nothing")


def test_characters_in_a_row_are_marked_together(user: User) -> None:
    added(user, "Note", "日本語のテストです")
    assert snippet(user, "テスト") == "日本語の<mark>テスト</mark>です"


# Isolation and cost --------------------------------------------------------------------------------------------------


def test_a_search_among_many_users_reads_own_rows_by_their_key(new_user: NewUser, database: Database) -> None:
    users = [new_user() for _ in range(3)]
    with database.admin() as connection, connection.transaction():
        for user in users:
            connection.execute("SET LOCAL ROLE questlog_owner")
            connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
            connection.execute(
                "SELECT internal.create_infobase_entry(gen_random_uuid(), 'Mine', 'drum w' || n, 'Tips', '{}')"
                " FROM generate_series(1, 300) AS n"
            )
            connection.execute("RESET ROLE")
    database.query("ANALYZE search_words")
    with psycopg.connect(database.app_url) as reader:
        reader.execute("SELECT set_config('app.user_id', %s, true)", [str(users[0].id)])
        ids = reader.execute(
            "SELECT id, total FROM search_page('infobase', '{drum}', '{1}', '{f}', '{f}', 1, '{/open}', 100, 0)"
        ).fetchall()
        assert {row[1] for row in ids} == {300}
        own = {entry["id"] for n in (1, 2, 3) for entry in users[0].get("/infobase", query={"page": n}).data["entries"]}
        assert {str(row[0]) for row in ids} <= own
    with database.admin() as connection, connection.transaction():
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(users[0].id)])
        connection.execute("SET LOCAL ROLE questlog_owner")
        connection.execute("SET LOCAL search_path = pg_catalog, app, internal, public, pg_temp")
        plan = [
            row["QUERY PLAN"]
            for row in connection.execute(
                "EXPLAIN SELECT * FROM search_words_like('infobase', 'drum', 'drum', true)"
            ).fetchall()
        ]
    assert not any("Seq Scan" in line for line in plan), plan
    conditions = [line for line in plan if "Index Cond" in line]
    assert len(conditions) == 4
    assert all("user_id =" in line and "word" in line for line in conditions), plan


@pytest.mark.parametrize("content", ['a "quoted" word\n' * 6_249 + "drum", '"' * 99_980 + " drum"])
def test_a_page_of_long_entries_is_answered_with_the_contents_that_fit(user: User, content: str) -> None:
    ids = [added(user, f"Note {n}", content)["id"] for n in range(40)]
    with at_most(2):
        page = user.get("/infobase", query={"search": "drum"})
    assert (page.data["total"], len(page.data["entries"])) == (40, 40)
    assert {entry["id"] for entry in page.data["entries"]} == set(ids)
    whole = [len(entry.get("content", "")) for entry in page.data["entries"]]
    assert whole == sorted(whole, reverse=True)
    assert 5 < whole.count(len(content)) < 40
    assert set(whole) == {len(content), 0}
    assert all("<mark>drum</mark>" in entry["snippet"] for entry in page.data["entries"])
    left_out = page.data["entries"][-1]
    assert set(page.data["entries"][0]) - set(left_out) == {"content"}
    assert user.get(f"/infobase/{left_out['id']}").data["content"] == content
