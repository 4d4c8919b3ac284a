using System.Buffers.Binary;
using System.Text;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Tensors;

public class SafetensorsTests
{
    [Fact]
    public void Every_type_comes_back_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var tensors = new StateDict();
        foreach (var type in ElementType.All) tensors.Add(type.Name, tensor(new[] { 1, 0, 1, 1, 0, 1 }).view(2, 3).to(type.Torch));
        tensors.Add("scalar", tensor(2.5));
        tensors.Add("empty", zeros(0, 3));
        var metadata = new Dictionary<string, string> { ["z"] = "ü", ["a"] = "1" };

        var (read, readMetadata) = Safetensors.Read(Safetensors.Write(tensors, metadata), "a file");

        using (read)
        {
            Assert.Equal(tensors.Names, read.Names);
            Assert.Equal(metadata.OrderBy(pair => pair.Key), readMetadata);
            foreach (var (name, expected) in tensors)
            {
                Assert.Equal(expected.shape, read[name].shape);
                Assert.Equal(expected.dtype, read[name].dtype);
                Assert.True(expected.bytes.SequenceEqual(read[name].bytes));
            }
        }
    }

    [Fact]
    public void The_layout_is_the_published_one()
    {
        using var scope = NewDisposeScope();
        using var tensors = new StateDict();
        tensors.Add("x", tensor(new[] { 1f, 2f }));
        var file = Safetensors.Write(tensors);
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        Assert.Equal(0, length % 8);
        Assert.Equal("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", Encoding.UTF8.GetString(file, 8, length).TrimEnd());
        Assert.Equal([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40], file[(8 + length)..]);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_with_its_name()
    {
        using var scope = NewDisposeScope();
        using var tensors = new StateDict();
        tensors.Add("a", ones(3, 2));
        tensors.Add("b", ones(5));
        var whole = Safetensors.Write(tensors);
        for (var length = 0; length < whole.Length; length++)
        {
            var error = Assert.Throws<InputException>(() => Safetensors.Read(whole.AsSpan(0, length), "'cut'").Tensors.Dispose());
            Assert.StartsWith("'cut'", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "needs 8 bytes and has 4")]
    [InlineData("""{"x":{"dtype":"F99","shape":[1],"data_offsets":[0,8]}}""", "unknown type 'F99'")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", "not a valid safetensors")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "truncated")]
    [InlineData("""{"x":{"dtype":"F32"}}""", "not a valid safetensors")]
    [InlineData("[1]", "not a JSON object")]
    public void Inconsistent_headers_are_refused(string header, string reason)
    {
        var error = Assert.Throws<InputException>(() => Safetensors.Read(File(header), "a file"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_type_that_is_not_known_leaves_the_rest_of_a_weight_file_readable()
    {
        var file = File("""
            {"x":{"dtype":"F8_E4M3","shape":[2,2],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}
            """);
        using var read = ModelFile.Read(file, "a file");
        Assert.Equal(["x", "y"], read.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(("F8_E4M3", "2, 2"), (read.Tensors[0].Type, string.Join(", ", read.Tensors[0].Shape)));
        Assert.Contains("'x' has the type F8_E4M3", Assert.Throws<InputException>(read.Tensors[0].Read).Message, StringComparison.Ordinal);
        using var readable = read.Tensors[1].Read();
        Assert.Equal([1L], readable.shape);
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"U64","shape":[1000],"data_offsets":[0,8]}}""", "has 8 bytes only")]
    [InlineData("""{"x":{"dtype":"U64","shape":[-1],"data_offsets":[0,8]}}""", "has a negative size")]
    [InlineData("""{"x":{"dtype":"U64","shape":[2],"data_offsets":[0,16]}}""", "truncated")]
    [InlineData("""{"x":{"dtype":"U64","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", "not a valid safetensors")]
    public void A_type_that_is_not_known_excuses_no_inconsistent_header(string header, string reason)
    {
        var error = Assert.Throws<InputException>(() => ModelFile.Read(File(header), "a file"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    /// <summary>These lengths are the first bytes of a pickle.</summary>
    [Theory]
    [InlineData(0x0280)]
    [InlineData(0x0380)]
    [InlineData(0x0480)]
    public void A_header_whose_length_looks_like_a_PyTorch_checkpoint_is_read(int length)
    {
        var header = """{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}""".PadRight(length);
        using var read = ModelFile.Read(File(header), "a file");
        Assert.Equal("safetensors", read.Format);
    }

    /// <summary>What makes a small file demand more memory than it has, and what the reference implementation refuses.</summary>
    [Theory]
    [InlineData("[0,8]", "[0,8]", "tensor 'y' overlaps another")]
    [InlineData("[0,8]", "[4,8]", "tensor 'y' overlaps another")]
    [InlineData("[4,8]", "[0,8]", "tensor 'x' overlaps another")]
    [InlineData("[0,0]", "[4,8]", "there is a hole of 4 bytes before tensor 'y'")]
    [InlineData("[0,2]", "[2,4]", "its tensors end at byte 4 of its data, which has 8")]
    public void Tensors_that_overlap_or_leave_holes_are_refused(string x, string y, string reason)
    {
        static string Entry(string name, string offsets)
        {
            var ends = offsets.Trim('[', ']').Split(',').Select(int.Parse).ToArray();
            return $$"""
                "{{name}}":{"dtype":"U8","shape":[{{ends[1] - ends[0]}}],"data_offsets":{{offsets}}}
                """;
        }
        var error = Assert.Throws<InputException>(() => ModelFile.Read(File($"{{{Entry("x", x)},{Entry("y", y)}}}"), "a file"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_there_twice_is_refused()
    {
        const string entry = """
            "x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}
            """;
        var error = Assert.Throws<InputException>(() => ModelFile.Read(File($"{{{entry},{entry}}}"), "a file"));
        Assert.Contains("the tensor 'x' is there twice", error.Message, StringComparison.Ordinal);
    }

    private static byte[] File(string header)
    {
        var file = new byte[8 + header.Length + 8];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        Encoding.UTF8.GetBytes(header).CopyTo(file, 8);
        return file;
    }
}
