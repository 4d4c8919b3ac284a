using System.IO.Compression;
using System.Text;
using MedMerge.Data;
using MedMerge.Reporting;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MedMerge.Tests.Data.Formats;

/// <summary>Folders, zip archives and lists of images become data sets.</summary>
public sealed class ImageSetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-images-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_with_splits_is_read_as_it_is()
    {
        foreach (var split in new[] { "train", "valid", "test" })
        {
            Write($"{split}/healthy/a.png", 10);
            Write($"{split}/healthy/b.jpg", 20);
            Write($"{split}/effusion/c.png", 200);
        }
        File.WriteAllText(Path.Combine(_folder, "train", "healthy", "notes.txt"), "not an image");

        var dataset = Load("");

        Assert.Equal(["effusion", "healthy"], dataset.Info.ClassNames);
        Assert.Equal([0, 1, 1], dataset.Train.Labels);
        Assert.Equal((3, 3, 3), (dataset.Train.Count, dataset.Validation.Count, dataset.Test.Count));
        Assert.Equal((9, 8, 1), (dataset.Width, dataset.Height, dataset.Channels));
        Assert.Equal(200, dataset.Train.Pixels[0]);
    }

    /// <summary>Each class in the same shares, and the same images for the same seed.</summary>
    [Fact]
    public void Without_splits_they_are_dealt_by_seed_and_class()
    {
        for (var i = 0; i < 40; i++) Write($"a/{i}.png", i);
        for (var i = 0; i < 20; i++) Write($"b/{i}.png", 100 + i);

        var (dataset, again, other) = (Load(""), Load(""), Load("", new ImageSettings { SplitSeed = 1 }));

        Assert.Equal((28, 14), Count(dataset.Train));
        Assert.Equal((4, 2), Count(dataset.Validation));
        Assert.Equal((8, 4), Count(dataset.Test));
        Assert.Equal(dataset.ContentHash, again.ContentHash);
        Assert.NotEqual(dataset.ContentHash, other.ContentHash);
        Assert.Equal((28, 14), Count(other.Train));

        static (int A, int B) Count(ImageSplit split) => (split.Labels.Count(label => label == 0), split.Labels.Count(label => label == 1));
    }

    [Fact]
    public void Validation_images_are_cut_from_training_images_where_only_they_are_missing()
    {
        for (var i = 0; i < 20; i++) Write($"train/{(i % 2 == 0 ? "a" : "b")}/{i}.png", i);
        for (var i = 0; i < 6; i++) Write($"test/{(i % 2 == 0 ? "a" : "b")}/{i}.png", 100 + i);

        var dataset = Load("");

        Assert.Equal((18, 2, 6), (dataset.Train.Count, dataset.Validation.Count, dataset.Test.Count));
    }

    /// <summary>Training images count by their weights; a packed file keeps them.</summary>
    [Fact]
    public void A_list_may_say_how_much_an_image_counts()
    {
        for (var i = 0; i < 20; i++) Write($"{i:00}.png", 40 + i);
        var lines = Enumerable.Range(0, 20).Select(i =>
        {
            var split = i < 12 ? "train" : i < 16 ? "val" : "test";
            return $"{i:00}.png,{i % 2},{split},{(i == 3 ? "2.5" : "")}";
        });
        File.WriteAllLines(Path.Combine(_folder, "list.csv"), ["path,label,split,sample_weight", .. lines]);

        var dataset = Load("list.csv");

        Assert.Equal([1, 1, 1, 2.5f, 1, 1, 1, 1, 1, 1, 1, 1], dataset.Train.Weights!);
        Assert.Null(dataset.Test.Weights);
        var again = PackedDataset.Read(PackedDataset.Write(dataset), "x");
        Assert.Equal(dataset.Train.Weights, again.Train.Weights);
        Assert.Equal(dataset.ContentHash, again.ContentHash);
        var table = DatasetTable.Render(dataset);
        Assert.Contains("note: training images count by weights from 1 to 2.5, 1.125 on average", table, StringComparison.Ordinal);
        var few = (DatasetSource.Find(Path.Combine(_folder, "list.csv")) with { TrainImages = 4 }).Load(InputFile.Read);
        Assert.Equal([1, 1, 1, 2.5f], few.Train.Weights!);
    }

    /// <summary>A zip archive gives the data set of the folder in it, whatever is wrapped around.</summary>
    [Fact]
    public void A_zip_archive_gives_the_bytes_of_its_folder()
    {
        for (var i = 0; i < 30; i++) Write($"set/{(i % 3 == 0 ? "a" : "b")}/{i}.png", i);
        var folder = Load("set");
        var path = Path.Combine(_folder, "set.zip");
        ZipFile.CreateFromDirectory(Path.Combine(_folder, "set"), path, CompressionLevel.Fastest, includeBaseDirectory: true);

        var zipped = DatasetSource.Find(path).Load(InputFile.Read);

        Assert.Equal(folder.Train.Count, zipped.Train.Count);
        Assert.Equal(folder.Info.ClassNames, zipped.Info.ClassNames);
        Assert.Equal("set", zipped.Name);
    }

    [Fact]
    public void A_split_that_no_array_can_hold_is_refused() => Assert.Equal(
        "The images of 'x' take 4.9 GiB at this size; 2 GiB are the most for a split. A smaller 'size' helps.",
        Assert.Throws<InputException>(() => ImageSplit.Allocate(5000, 1 << 20, "'x'")).Message);

    [Fact]
    public void A_damaged_archive_is_refused()
    {
        for (var i = 0; i < 30; i++) Write($"set/{(i % 3 == 0 ? "a" : "b")}/{i}.png", i);
        var path = Path.Combine(_folder, "set.zip");
        ZipFile.CreateFromDirectory(Path.Combine(_folder, "set"), path);
        var file = File.ReadAllBytes(path);
        file[file.AsSpan().IndexOf("PK\x01\x02"u8) + 10] = 77; // the first entry's method of compression
        File.WriteAllBytes(path, file);

        var error = Assert.Throws<InputException>(() => DatasetSource.Find(path).Load(InputFile.Read)).Message;

        Assert.Matches(@"set\.zip' can't be read: its entry '[ab]/\d+\.png' is damaged", error);
    }

    /// <summary>No patient is on two sides of a split, and classes keep their shares as far as that allows.</summary>
    [Fact]
    public void A_list_keeps_groups_together()
    {
        var random = new Random(2);
        var lines = new StringBuilder("image;label;patient\n");
        var patients = new Dictionary<int, int>();
        for (var i = 0; i < 200; i++)
        {
            Write($"{i}.png", i);
            patients[i] = random.Next(60);
            lines.Append($"{i}.png;{(patients[i] % 4 == 0 ? "ill" : "healthy")};{patients[i]}\n");
        }
        File.WriteAllText(Path.Combine(_folder, "list.csv"), lines.ToString());

        var dataset = Load("list.csv");

        var sides = new[] { dataset.Train, dataset.Validation, dataset.Test }
            .Select(split => Enumerable.Range(0, split.Count).Select(i => patients[split.Pixels[i * 72]]).ToHashSet())
            .ToList();
        Assert.Empty(sides[0].Intersect(sides[1]).Union(sides[0].Intersect(sides[2])).Union(sides[1].Intersect(sides[2])));
        var groups = dataset.Splits.Select(split => split.Split.Groups!.Distinct().Count());
        Assert.Equal(sides.Select(side => side.Count), groups);
        Assert.InRange(dataset.Train.Count, 136, 144);
        Assert.InRange(dataset.Test.Count, 36, 44);
        var share = dataset.Train.Labels.Average();
        Assert.InRange(dataset.Test.Labels.Average(), share - 0.1, share + 0.1);
    }

    [Fact]
    public void A_list_may_name_splits_and_be_quoted()
    {
        Write("sub folder/a, b.png", 3);
        Write("c.png", 4);
        var content = "filename,class,split\n\"sub folder/a, b.png\",0,train\nc.png,1,Train\n";
        foreach (var (i, split) in new[] { "val", "val", "test", "test" }.Index())
        {
            Write($"{i}.png", 50 + i);
            content += $"{i}.png,{i % 2},{split}\n";
        }
        File.WriteAllText(Path.Combine(_folder, "list.csv"), "\uFEFF" + content);

        var dataset = Load("list.csv");

        Assert.Equal([0, 1], dataset.Train.Labels);
        Assert.Equal(3, dataset.Train.Pixels[0]);
        Assert.Equal(["0", "1"], dataset.Info.ClassNames);
    }

    [Theory]
    [InlineData("path,label,image_weight\na.png,1,0\n", "line 2: '0' is no weight; weights are 0.001 to 1000")]
    [InlineData("path,label,image_weight\na.png,1,heavy\n", "line 2: 'heavy' is no weight")]
    [InlineData(
        "name,label\na.png,1\n",
        "has no column with the image's path (path, image, file, filename, image index); its columns are name, label.")]
    [InlineData("image,label\n", "names no images.")]
    [InlineData("", "is empty.")]
    [InlineData("image,label,split\na.png,1,trian\nb.png,,test\na.png,2,test\n", "line 2: there is no split 'trian'")]
    [InlineData("image,label,split\na.png,1,trian\nb.png,,test\na.png,2,test\n", "line 3: no label")]
    [InlineData("image,label,split\na.png,1,trian\nb.png,,test\na.png,2,test\n", "line 4: 'a.png' stands in line 2 already")]
    [InlineData("path,label,split,group\na,1,train,7\nb,2,test,7\n", "1 group(s) are in more than one split, the first of them '7'")]
    [InlineData("image,label,split\na.png,1,train\nb.png,2,train\n", "has no images of the split 'test'.")]
    public void Mistakes_in_a_list_are_named_with_their_lines(string content, string message)
    {
        File.WriteAllText(Path.Combine(_folder, "list.csv"), content);

        Assert.Contains(message, Assert.Throws<InputException>(() => Load("list.csv")).Message, StringComparison.Ordinal);
    }

    /// <summary>Else an uploaded list would name files of the gateway's machine.</summary>
    [Fact]
    public void An_uploaded_list_reads_nothing()
    {
        var uploaded = new DatasetSource($"sha256:{ContentHash.Of("x"u8)}/list.csv");

        var error = Assert.Throws<InputException>(() => uploaded.Load((_, _) => throw new InvalidOperationException("read")));

        Assert.StartsWith("The list 'list.csv' names images that were not uploaded with it.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_of_several_sizes_need_one_that_is_set()
    {
        for (var i = 0; i < 20; i++) Write($"{(i % 2 == 0 ? "a" : "b")}/{i:00}.png", 40 + i, width: 9 + i);

        var error = Assert.Throws<InputException>(() => Load(""));
        Assert.Contains("'a/00.png' has 9 × 8 pixels, 'a/02.png' 11 × 8. Say to which side", error.Message, StringComparison.Ordinal);

        var dataset = Load("", new ImageSettings { Size = 16, Colours = ImageColours.Rgb });
        Assert.Equal((16, 16, 3), (dataset.Width, dataset.Height, dataset.Channels));
    }

    [Fact]
    public void The_first_image_that_cant_be_read_is_named()
    {
        for (var i = 0; i < 20; i++) Write($"{(i % 2 == 0 ? "a" : "b")}/{i:00}.png", 40 + i);
        File.WriteAllText(Path.Combine(_folder, "b", "05.png"), "<html>");
        File.WriteAllText(Path.Combine(_folder, "a", "12.png"), "");

        var error = Assert.Throws<InputException>(() => Load(""));

        Assert.StartsWith("The image 'a/12.png' in", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Colours among grey images have all read again, and a damaged one is named, whichever is met first.</summary>
    [Fact]
    public void Colours_and_a_damaged_image_in_one_folder_give_the_same_message_every_time()
    {
        for (var i = 0; i < 200; i++) Write($"{(i % 2 == 0 ? "a" : "b")}/{i:d3}.png", i);
        using (var colours = new Image<Rgb24>(9, 8, new Rgb24(1, 2, 3))) colours.Save(Path.Combine(_folder, "a", "100.png"));
        File.WriteAllText(Path.Combine(_folder, "b", "101.png"), "no image");
        File.WriteAllText(Path.Combine(_folder, "b", "151.png"), "no image");

        for (var i = 0; i < 20; i++)
        {
            var error = Assert.Throws<InputException>(() => Load(""));
            Assert.StartsWith("The image 'b/101.png'", error.Message, StringComparison.Ordinal);
        }
    }

    private ImageDataset Load(string path, ImageSettings? settings = null) =>
        (DatasetSource.Find(Path.Combine(_folder, path)) with { Images = settings ?? new ImageSettings() }).Load(InputFile.Read);

    private void Write(string path, int value, int width = 9)
    {
        var file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var image = new Image<L8>(width, 8, new L8((byte)value));
        image[width - 1, 7] = new L8(255);
        image.Save(file);
    }
}
