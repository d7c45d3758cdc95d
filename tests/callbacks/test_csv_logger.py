import numpy as np
import pytest

from minikeras.callbacks import CSVLogger

nan, inf = float("nan"), float("inf")

# arguments, runs (logs of each epoch), what CSVLogger of Keras 3.15 writes
WRITTEN = {
    "without validation": (
        {},
        [[{"loss": 0.5, "accuracy": 0.25}, {"loss": nan, "accuracy": 0.1}]],
        "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,0.25,0.5,NA,NA\r\n1,0.1,nan,NA,NA\r\n",
    ),
    "columns stay": (
        {"separator": ";"},
        [
            [
                {"loss": 0.5, "val_loss": inf},
                {"loss": 0.25},
                {"loss": 1e-7, "val_loss": 2.0, "extra": 1.0},
            ]
        ],
        "epoch;loss;val_loss\r\n0;0.5;inf\r\n1;0.25;NA\r\n2;1e-07;2.0\r\n",
    ),
    "arrays and text": (
        {},
        [[{"f1": np.array([0.5, 0.25], "float32"), "name": "a,b", "loss": np.array(0.5)}]],
        'epoch,f1,loss,name,val_f1,val_loss,val_name\r\n0,"""[0.5, 0.25]""",0.5,"a,b",NA,NA,NA\r\n',
    ),
    "appended": (
        {"append": True},
        [[{"loss": 0.5}], [{"loss": 0.25}]],
        "epoch,loss,val_loss\r\n0,0.5,NA\r\n0,0.25,NA\r\n",
    ),
    "replaced": (
        {},
        [[{"loss": 0.5}], [{"loss": 0.25}]],
        "epoch,loss,val_loss\r\n0,0.25,NA\r\n",
    ),
}


def write(logger, *epochs, first=0):
    logger.on_train_begin()
    for epoch, logs in enumerate(epochs, first):
        logger.on_epoch_end(epoch, logs)
    logger.on_train_end()


def text(path):
    return path.read_bytes().decode()


@pytest.mark.parametrize("case", WRITTEN)
def test_files_are_those_of_keras(case, tmp_path):
    arguments, runs, expected = WRITTEN[case]
    logger = CSVLogger(tmp_path / "log.csv", **arguments)
    for epochs in runs:
        write(logger, *epochs)
    assert text(tmp_path / "log.csv") == expected


def test_lines_are_on_disk_after_each_epoch(tmp_path):
    logger = CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    for epoch in range(3):
        logger.on_epoch_end(epoch, {"loss": 1.0})
        assert len(text(tmp_path / "log.csv").splitlines()) == epoch + 2
    logger.on_train_end()


def test_missing_folders_are_created(tmp_path):
    write(CSVLogger(tmp_path / "a" / "b" / "log.csv"), {"loss": 1.0})
    assert (tmp_path / "a" / "b" / "log.csv").exists()


def test_a_file_that_cannot_be_written_is_an_error_before_the_first_epoch(tmp_path):
    with pytest.raises(IsADirectoryError):
        CSVLogger(tmp_path).on_train_begin()


def test_a_run_that_ends_before_its_first_epoch_leaves_the_older_file(tmp_path):
    logger = CSVLogger(tmp_path / "log.csv")
    write(logger, {"loss": 1.0})
    before = text(tmp_path / "log.csv")
    write(logger)
    assert text(tmp_path / "log.csv") == before


@pytest.mark.parametrize("append", [False, True])
def test_a_resumed_run_goes_on_after_the_line_of_its_state(tmp_path, append):
    path = tmp_path / "log.csv"
    path.write_bytes(b"epoch,loss,val_loss\r\n7,0.125,NA\r\n" if append else b"other\r\n")
    first = CSVLogger(path, append=append)
    first.on_train_begin()
    for epoch, loss in enumerate((0.5, 0.25)):
        first.on_epoch_end(epoch, {"loss": loss, "val_loss": 1.0})
    state, saved = first.state_dict(), text(path)
    first.on_epoch_end(2, {"loss": 0.1, "val_loss": 1.0})  # after the save, before the end
    first.on_train_end()

    second = CSVLogger(path, append=append)
    second.on_train_begin()
    second.load_state_dict(state)
    second.on_epoch_end(2, {"loss": 0.2, "val_loss": 2.0, "late": 1.0})
    second.on_train_end()
    assert text(path) == saved + "2,0.2,2.0\r\n"


def test_a_resumed_run_says_when_its_lines_are_gone(tmp_path):
    path = tmp_path / "log.csv"
    logger = CSVLogger(path)
    write(logger, {"loss": 0.5})
    state = logger.state_dict()
    path.unlink()
    logger.on_train_begin()
    with pytest.warns(
        UserWarning, match=r"log\.csv', which has lost lines.* Received: a file of 0"
    ):
        logger.load_state_dict(state)
    logger.on_epoch_end(1, {"loss": 0.25})
    logger.on_train_end()
    assert text(path) == "epoch,loss,val_loss\r\n1,0.25,NA\r\n"


@pytest.mark.parametrize("separator", ["", ";;", None, "\n"])
def test_what_is_no_separator_is_refused_at_once(separator):
    with pytest.raises(ValueError, match=r"`separator` must be one character.*Received"):
        CSVLogger("log.csv", separator=separator)
