package logs

import (
	"context"
	"os"
	"slices"
)

// resume begins where the checkpoint says, in whatever file that is by now.
func (f *Follower) resume() error {
	if f.State == "" {
		return nil
	}
	var err error
	if f.state, err = newState(f.State, f.Path); err != nil {
		return err
	}
	at, ok, err := f.state.load()
	if err != nil || !ok || at.File.Size == 0 {
		return err
	}
	if is, err := identityOf(f.Path, at.File.Size); err == nil && is == at.File {
		return f.resumeIn(f.Path, at.Offset)
	}
	return f.resumeBefore(at)
}

func (f *Follower) resumeIn(path string, offset int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	if _, err := file.Seek(offset, 0); err != nil {
		_ = file.Close() // was only opened
		return err
	}
	f.begin(file, offset)
	return nil
}

// resumeBefore reads the log's older files, from the checkpoint's on.
func (f *Follower) resumeBefore(at checkpoint) error {
	beside, err := f.beside()
	if err != nil {
		return err
	}
	first := slices.IndexFunc(beside, func(path string) bool {
		is, err := identityOf(path, at.File.Size)
		return err == nil && is == at.File
	})
	if first < 0 {
		f.warn("the file of the checkpoint is gone: the log is read from its beginning, and what stood between is missing")
		return nil
	}
	for i, path := range beside[first:] {
		offset := at.Offset
		if i > 0 {
			offset = 0
		}
		from := f.end() - offset
		f.in = newLines(nil)
		f.in.at = offset
		f.files = append(f.files, placed{from: from})
		if err := f.readFrom(context.Background(), path, offset); err != nil {
			return err
		}
		size := min(f.in.at, beginning)
		if f.files[len(f.files)-1].identity, err = identityOf(path, size); err != nil {
			return err
		}
	}
	return nil
}

// end is the position after all that was read.
func (f *Follower) end() int64 {
	if len(f.files) == 0 {
		return 0
	}
	return f.place() + f.in.at
}

// commit has what was said kept, and then the checkpoint written.
func (f *Follower) commit(ctx context.Context) error {
	if f.Commit != nil {
		if err := f.Commit(ctx); err != nil {
			return err
		}
	}
	if f.state == nil || len(f.files) == 0 {
		return nil
	}
	position := f.end()
	if oldest, ok := f.Log.Oldest(needed); ok {
		position = min(position, int64(oldest))
	}
	if position == f.saved && position != 0 {
		return nil
	}
	at := len(f.files) - 1
	for at > 0 && (f.files[at].from > position || f.files[at].Size == 0) { // an empty file can't be told from others
		at--
	}
	f.files = slices.Delete(f.files, 0, at) // nothing open needs the older ones
	f.saved = position
	on := f.files[0]
	return f.state.save(checkpoint{File: on.identity, Offset: position - on.from})
}
