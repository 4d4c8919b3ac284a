using MedMerge.Storage;

namespace MedMerge.Cli.Tests;

public sealed class DiskTests
{
    [Fact]
    public async Task A_full_disk_is_one_line_without_a_stack()
    {
        using var error = new StringWriter();
        await using var full = new FullDisk();

        var code = await MedMergeCommand.RunAsync(["--version"], full, error);

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Equal(
            "failed: '/store/file' can't be written: the disk is full. Free some space, or use a folder on another disk. " +
            $"Then the same command resumes from what is finished.{Environment.NewLine}",
            error.ToString());
    }

    private sealed class FullDisk : StringWriter
    {
        public override void Write(char value) => Throw();

        public override void Write(string? value) => Throw();

        public override void WriteLine(string? value) => Throw();

        private static void Throw() => throw DiskException.Of("/store/file", new IOException("No space left on device", 28));
    }
}
