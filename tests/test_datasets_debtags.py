"""The programs and their topics are what their card says."""

import pytest

from mlcourse.datasets import PROGRAM_TOPICS, DataError, load_debian_programs


def test_every_program_has_a_topic_and_many_have_several():
    programs = load_debian_programs()
    topics = programs[list(PROGRAM_TOPICS)]
    assert len(programs) == 4_235
    assert topics.isin([0, 1]).all(axis=None)
    assert topics.sum(axis=1).min() == 1
    assert 0.3 < (topics.sum(axis=1) > 1).mean() < 0.36
    assert topics.sum().min() > 150


def test_descriptions_are_unique_before_they_are_cut_and_families_share_a_name():
    programs = load_debian_programs()
    assert programs["program"].is_unique
    assert programs["description"].str.len().between(50, 1_500).all()
    assert all(name.startswith(family) for name, family in zip(programs["program"], programs["family"], strict=True))
    assert programs.loc[programs["program"] == "0ad", "games"].item() == 1


def test_rows_are_drawn_by_the_seed():
    assert load_debian_programs(100, seed=1).equals(load_debian_programs(100, seed=1))
    assert not load_debian_programs(100, seed=1).equals(load_debian_programs(100, seed=2))


@pytest.mark.parametrize("rows", [0, 4_236, 1.5, True])
def test_a_wrong_number_of_rows_ends_in_one_clear_line(rows):
    with pytest.raises(DataError, match="from 1 to 4,235"):
        load_debian_programs(rows=rows)
