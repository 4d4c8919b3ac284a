using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Tensors;

/// <summary>The fixtures were written by PyTorch itself; see Fixtures/make_checkpoints.py.</summary>
public class PyTorchCheckpointTests
{
    private static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    [Theory]
    [InlineData("new.pt", "PyTorch checkpoint (zip)")]
    [InlineData("old.pt", "PyTorch checkpoint (before 1.6)")]
    public void Both_formats_give_the_same_tensors(string name, string format)
    {
        using var file = ModelFile.Read(Fixture(name));

        Assert.Equal(format, file.Format);
        Assert.Equal(["took the tensors under 'state_dict'"], file.Notes);
        string[] names = ["a.weight", "a.bias", "transposed", "half", "double", "count", "parameter"];
        Assert.Equal(names.Select(name => "module." + name), file.Tensors.Names);
        Assert.Equal([0f, 0.25f, 0.5f, 0.75f, 1f, 1.25f], file.Tensors["module.a.weight"].data<float>().ToArray());
        Assert.Equal([1.5f, 1.75f], file.Tensors["module.a.bias"].data<float>().ToArray());
        Assert.Equal([4L, 3L], file.Tensors["module.transposed"].shape);
        Assert.Equal(
            [0f, 1f, 2f, 0.25f, 1.25f, 2.25f, 0.5f, 1.5f, 2.5f, 0.75f, 1.75f, 2.75f],
            file.Tensors["module.transposed"].data<float>().ToArray());
        Assert.Equal([0.5f, -2f], file.Tensors["module.half"].to(ScalarType.Float32).data<float>().ToArray());
        Assert.Equal(1e-300, file.Tensors["module.double"].item<double>());
        Assert.Equal(7L, file.Tensors["module.count"].item<long>());
        Assert.Equal([3f], file.Tensors["module.parameter"].data<float>().ToArray());
    }

    [Fact]
    public void A_bare_state_dict_needs_no_unwrapping()
    {
        using var file = ModelFile.Read(Fixture("bare.pt"));
        Assert.Empty(file.Notes);
        Assert.Equal(7, file.Tensors.Count);
    }

    [Fact]
    public void Code_is_refused_by_name()
    {
        var error = Assert.Throws<InputException>(() => ModelFile.Read(Fixture("malicious.pt")));
        Assert.Contains("'posix.system', which is refused", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("old.pt")]
    [InlineData("new.pt")]
    public void A_file_cut_anywhere_is_refused_with_its_name(string name)
    {
        var whole = File.ReadAllBytes(Fixture(name));
        for (var length = 0; length < whole.Length - 1; length++)
        {
            var error = Assert.Throws<InputException>(() => ModelFile.Read(whole[..length], "'cut.pt'").Dispose());
            Assert.StartsWith("'cut.pt'", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Random_damage_is_refused_or_read_never_a_crash()
    {
        var whole = File.ReadAllBytes(Fixture("old.pt"));
        var random = new MedMerge.Data.RandomStream(1);
        for (var i = 0; i < 2000; i++)
        {
            var damaged = whole.ToArray();
            damaged[random.Below(damaged.Length)] = (byte)random.Below(256);
            try
            {
                ModelFile.Read(damaged, "'damaged.pt'").Dispose();
            }
            catch (InputException)
            {
                // what a damaged file deserves
            }
        }
    }

    [Theory]
    [InlineData("]q\0h\0a")] // a list in itself
    [InlineData("}q\0X\u0001\0\0\0ah\0s")] // a dictionary in itself
    public void A_checkpoint_that_holds_itself_is_refused(string pickle) => RefusedWithoutTensors(pickle);

    [Fact]
    public void A_checkpoint_of_any_depth_is_refused() => RefusedWithoutTensors(new string(']', 200_000) + new string('a', 199_999));

    private static void RefusedWithoutTensors(string value)
    {
        byte[] file =
        [
            0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.', // magic number
            0x80, 2, (byte)'M', 0xe9, 0x03, (byte)'.', // protocol
            0x80, 2, (byte)'}', (byte)'.', // system information
            0x80, 2, .. "}X"u8, 1, 0, 0, 0, (byte)'a', .. value.Select(character => (byte)character), .. "s."u8,
            0x80, 2, .. "]."u8, // storage keys
        ];
        var error = Assert.Throws<InputException>(() => ModelFile.Read(file, "a file"));
        Assert.Contains("it holds no dictionary of tensors (its keys: a)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var error = Assert.Throws<InputException>(() => ModelFile.Read("/nowhere/a.pt"));
        Assert.Equal("There is no weight file '/nowhere/a.pt'.", error.Message);
    }

    [Theory]
    [InlineData("resnet20-12fca82f.th", "resnet20", 97)]
    [InlineData("resnet32-d509ac18.th", "resnet32", 157)]
    [InlineData("resnet56-4bfd9763.th", "resnet56", 277)]
    public void Real_weights_are_read_and_recognised(string name, string architecture, int tensors)
    {
        using var file = ModelFile.Read(RealData.File("weights/" + name));
        Assert.Equal(tensors, file.Tensors.Count);
        Assert.Equal([architecture], MedMerge.Models.ModelImport.Recognise(file).Select(found => found.Name));
    }
}
