using MedMerge.Cli.Commands;

namespace MedMerge.Cli.Tests;

public class SubmitCommandTests
{
    [Fact]
    public void A_data_set_of_several_files_is_not_sent()
    {
        SubmitCommand.CheckFiles(["/data/a.npz", "/data/a.pt"], ["/data/a.npz", "/data/a.pt"]);

        var error = Assert.Throws<InputException>(() => SubmitCommand.CheckFiles(["/data/chest/train/1.png"], ["/data/chest/"]));

        Assert.Contains("reads '/data/chest/train/1.png'", error.Message, StringComparison.Ordinal);
        Assert.Contains("`medmerge run` reads this one", error.Message, StringComparison.Ordinal);
    }
}
