package onchain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/ethsig"
)

type lightCommand struct {
	File string `arg:"" help:"Wallet file (keystore, version 3)." type:"path"`
	Out  string `help:"Where the new file goes; it must not be there yet. Left out it is the old one's name and .light." placeholder:"FILE" type:"path"`
}

// light is what keystore-light answers.
type light struct {
	Wallet string `json:"wallet"`
	File   string `json:"file"`
}

// Run encrypts the key again under the same password. The old file stays.
func (c lightCommand) Run(all *Commands, t Console) error {
	old, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("reading the wallet: %w", err)
	}
	password, err := t.Secret("Password of "+c.File, all.WalletPasswordFile, walletPassword)
	if err != nil {
		return fmt.Errorf("--wallet-password-file: %w", err)
	}
	sealed, err := ethsig.Light(old, password)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	key, err := ethsig.OpenKeystore(sealed, password)
	if err != nil {
		return fmt.Errorf("the new file would not open: %w", err)
	}
	if c.Out == "" {
		c.Out = c.File + ".light"
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--out: %s is there already", c.Out)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if _, err := file.Write(append(sealed, '\n')); err != nil {
		return errors.Join(fmt.Errorf("writing the new file: %w", err), file.Close(), os.Remove(c.Out))
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing the new file: %w", err)
	}
	return t.Print(light{Wallet: key.Address().String(), File: c.Out}, func(p *page.Table) {
		p.Line("the key of %s is in %s as well, light; its password must be a long one", key.Address(), c.Out)
	})
}
