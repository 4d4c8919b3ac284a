using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using MedMerge.Tensors;
using MedMerge.Tensors.PyTorch;
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
        string[] names = ["a.weight", "a.bias", "transposed", "half", "double", "count", "parameter"];
        Assert.Equal(names.Select(name => "state_dict.module." + name), file.Tensors.Select(tensor => tensor.Name));
        using var scope = NewDisposeScope();
        Tensor Read(string name) => file.Find("state_dict.module." + name)!.Read();

        Assert.Equal([0f, 0.25f, 0.5f, 0.75f, 1f, 1.25f], Read("a.weight").data<float>().ToArray());
        Assert.Equal([1.5f, 1.75f], Read("a.bias").data<float>().ToArray());
        Assert.Equal([4L, 3L], Read("transposed").shape);
        Assert.Equal(
            [0f, 1f, 2f, 0.25f, 1.25f, 2.25f, 0.5f, 1.5f, 2.5f, 0.75f, 1.75f, 2.75f],
            Read("transposed").data<float>().ToArray());
        Assert.Equal([0.5f, -2f], Read("half").to(ScalarType.Float32).data<float>().ToArray());
        Assert.Equal(1e-300, Read("double").item<double>());
        Assert.Equal(7L, Read("count").item<long>());
        Assert.Equal([3f], Read("parameter").data<float>().ToArray());
    }

    [Fact]
    public void A_bare_state_dict_needs_no_unwrapping()
    {
        using var file = ModelFile.Read(Fixture("bare.pt"));
        Assert.Equal(7, file.Tensors.Count);
        Assert.Equal("module.a.weight", file.Tensors[0].Name);
    }

    /// <summary>Nothing is ever called, so what nobody needs does no harm.</summary>
    [Fact]
    public void Code_is_left_out_and_named()
    {
        using var file = ModelFile.Read(Fixture("malicious.pt"));
        Assert.Equal(["state_dict.a"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([KeyValuePair.Create("args", "posix.system")], file.Unread);
    }

    [Theory]
    [InlineData("training.pt")]
    [InlineData("training-old.pt")]
    public void Objects_that_training_scripts_save_beside_the_model_do_not_block_it(string name)
    {
        using var file = ModelFile.Read(Fixture(name));
        using var values = file.Find("state_dict.a")!.Read();
        Assert.Equal([1.5f, 2.5f], values.data<float>().ToArray());
        Assert.True(file.Contains("best_acc1"));
        Assert.Equal("collections.Counter", file.Unread["scheduler.milestones"]);
        Assert.Equal("argparse.Namespace", file.Unread["args"]);
        Assert.Equal("torch.device", file.Unread["device"]);
        Assert.Equal("numpy.core.multiarray.scalar", file.Unread["score"]);
    }

    [Fact]
    public void A_tensor_whose_type_is_not_known_is_listed_and_not_read()
    {
        using var file = ModelFile.Read(Fixture("training.pt"));
        var tensor = file.Find("phase")!;
        Assert.Equal(("torch.ComplexFloatStorage", 2L), (tensor.Type, tensor.Shape.Single()));
        var error = Assert.Throws<InputException>(tensor.Read);
        Assert.Contains("has the type torch.ComplexFloatStorage", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_whole_pickled_module_is_refused_with_the_line_that_saves_it_readably()
    {
        var error = Assert.Throws<InputException>(() => ModelFile.Read(Fixture("module.pt")));
        Assert.Contains("it is an object of the class 'torch.nn.modules.conv.Conv2d'", error.Message, StringComparison.Ordinal);
        Assert.Contains("torch.save(model.state_dict(), 'new.pt')", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flipped_bit_in_a_stored_tensor_is_found_by_its_checksum()
    {
        var bytes = File.ReadAllBytes(Fixture("training.pt"));
        var at = bytes.AsSpan().IndexOf(MemoryMarshal.AsBytes<float>([1.5f, 2.5f]));
        bytes[at + 1] ^= 1;
        using var file = ModelFile.Read(bytes, "'damaged.pt'");
        var error = Assert.Throws<InputException>(file.Find("state_dict.a")!.Read);
        Assert.StartsWith("'damaged.pt' can't be read", error.Message, StringComparison.Ordinal);
        Assert.Contains("its checksum differs (CRC-32)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_that_has_no_checksums_is_read()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("medmerge-zip-").FullName, "a.pt");
        WriteZip(path, CompressionLevel.NoCompression, twice: false);
        var bytes = File.ReadAllBytes(path);
        ClearChecksums(bytes);
        using var file = ModelFile.Read(bytes, "a file");
        using var values = file.Find("state_dict.a")!.Read();
        Assert.Equal([1.5f, 2.5f], values.data<float>().ToArray());
    }

    [Theory]
    [InlineData(true, "is there twice")]
    [InlineData(false, "is compressed, which PyTorch never does")]
    public void A_zip_that_PyTorch_would_not_write_is_refused(bool twice, string reason)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("medmerge-zip-").FullName, "a.pt");
        WriteZip(path, twice ? CompressionLevel.NoCompression : CompressionLevel.SmallestSize, twice);
        var error = Assert.Throws<InputException>(() => ModelFile.Read(path));
        Assert.StartsWith($"'{path}' can't be read as a PyTorch checkpoint", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Many entries over the same bytes would make much of little.</summary>
    [Fact]
    public void Zip_entries_that_claim_more_than_the_file_has_are_refused()
    {
        var bytes = File.ReadAllBytes(Fixture("training.pt"));
        foreach (var at in FindAll(bytes, "PK\x01\x02"u8))
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 20), (uint)bytes.Length);
        var error = Assert.Throws<InputException>(() => ModelFile.Read(bytes, "'a.pt'"));
        Assert.Contains("its entries claim more bytes than the file has", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0xff)]
    [InlineData(0x00)]
    public void A_zip_directory_that_was_overwritten_is_refused_with_the_file_name(byte value)
    {
        var whole = File.ReadAllBytes(Fixture("training.pt"));
        var start = FindAll(whole, "PK\x01\x02"u8).First();
        for (var at = start; at < whole.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] = value;
            try
            {
                using var file = ModelFile.Read(damaged, "'damaged.pt'");
                file.Find("state_dict.a")?.Read().Dispose();
            }
            catch (InputException error)
            {
                Assert.StartsWith("'damaged.pt'", error.Message, StringComparison.Ordinal);
            }
        }
        whole.AsSpan(start).Clear();
        Assert.Throws<InputException>(() => ModelFile.Read(whole, "'damaged.pt'"));
    }

    private static void WriteZip(string path, CompressionLevel level, bool twice)
    {
        using var source = new ZipArchive(File.OpenRead(Fixture("training.pt")), ZipArchiveMode.Read);
        using var archive = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        foreach (var entry in source.Entries.SelectMany(entry => Enumerable.Repeat(entry, twice ? 2 : 1)))
        {
            using var from = entry.Open();
            using var to = archive.CreateEntry(entry.FullName, level).Open();
            from.CopyTo(to);
        }
    }

    private static void ClearChecksums(byte[] zip)
    {
        foreach (var at in FindAll(zip, "PK\x01\x02"u8)) zip.AsSpan(at + 16, 4).Clear();
        foreach (var at in FindAll(zip, "PK\x03\x04"u8)) zip.AsSpan(at + 14, 4).Clear();
    }

    private static List<int> FindAll(byte[] bytes, ReadOnlySpan<byte> wanted)
    {
        var found = new List<int>();
        for (var at = bytes.AsSpan().IndexOf(wanted); at >= 0;)
        {
            found.Add(at);
            var next = bytes.AsSpan(at + 1).IndexOf(wanted);
            at = next < 0 ? -1 : at + 1 + next;
        }
        return found;
    }

    /// <summary>Optimisers save such dictionaries; by comparing keys one with another these would take hours.</summary>
    [Theory]
    [InlineData('X')] // texts
    [InlineData('\x8a')] // numbers whose .NET hash codes are all 0
    public async Task A_dictionary_of_many_keys_is_read_in_time_that_grows_with_their_number(char code)
    {
        const int count = 1_000_000;
        using var pickle = new MemoryStream();
        pickle.Write("}("u8);
        for (var key = 0; key < count; key++)
        {
            pickle.WriteByte((byte)code);
            if (code == 'X') pickle.Write([8, 0, 0, 0, .. Encoding.ASCII.GetBytes($"{key:x8}"), (byte)'N']);
            else pickle.Write([8, .. BitConverter.GetBytes(((long)key << 32) | (uint)key), (byte)'N']);
        }
        pickle.Write("u."u8);
        pickle.Position = 0;
        var read = Task.Run(() => new RestrictedUnpickler(pickle).Load(), TestContext.Current.CancellationToken);
        var value = await read.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken); // a second, where it grows so
        Assert.Equal(code == 'X' ? count : 0, Assert.IsType<PickledDictionary>(value).Entries.Count);
    }

    [Fact]
    public void A_view_at_an_offset_that_wraps_is_refused()
    {
        var tensor = new PickledTensor(new PickledStorage("0", ElementType.Named("F32"), "F32", 4), long.MaxValue, [2], [1]);
        Assert.Throws<OverflowException>(() => tensor.Read("x", ElementType.Named("F32")!, new byte[16]));
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
        Assert.Equal([architecture], MedMerge.Models.ModelImport.Recognise(file).Select(found => found.Architecture.Title));
    }
}
