namespace MedMerge.Data.Formats;

/// <summary>
/// Small synthetic tasks, drawn by seed, so that tests and the quickstart need no download. They resemble images of their field and are
/// called synthetic wherever they are shown; no claim about medicine follows from them. Five belong together: what tells the
/// four kinds of <c>nodules</c> apart is half in <c>cavities</c>, half in <c>fibres</c>, and neither in <c>spots</c> nor in <c>masses</c>.
/// </summary>
internal static class Phantoms
{
    /// <summary>How a specification names one: <c>phantom:lesions</c>.</summary>
    public const string Prefix = "phantom:";

    /// <summary>The brightness of plain tissue.</summary>
    private const double Tissue = 0.45;

    /// <summary>The standard deviation of the noise in each pixel of the nodules and what belongs to them.</summary>
    private const double Grain = 0.16;

    private delegate void Draw(Canvas canvas, int label, RandomStream random);

    /// <summary>Sets the channels of the pixel at (u, v).</summary>
    private delegate void Paint(double u, double v, Span<double> pixel);

    private static readonly Dictionary<string, Definition> Tasks = new(StringComparer.Ordinal)
    {
        ["lesions"] = new(2, 1, Lesion),
        ["opacities"] = new(2, 1, Opacity),
        ["cells"] = new(3, 3, Cells),
        ["vessels"] = new(2, 1, Vessels),
        ["nodules"] = new(4, 1, Nodule) { Side = 20 },
        ["cavities"] = new(2, 1, Cavity) { Side = 20, Train = 1600 },
        ["fibres"] = new(2, 1, Fibres) { Side = 20, Train = 1600 },
        ["spots"] = new(3, 1, Spots) { Side = 20, Train = 1200 },
        ["masses"] = new(2, 1, Mass) { Side = 20, Train = 1200 },
        ["findings"] = new(3, 1, Findings) { IsMultiLabel = true },
    };

    /// <summary>The tasks' names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Tasks.Keys];

    /// <summary>Draws a data set. Image <c>i</c> of a split depends on (task, seed, split, i) alone; labels take turns.</summary>
    /// <param name="side">Height and width in pixels; null for the task's.</param>
    /// <param name="train">The number of training images; null for the task's.</param>
    /// <exception cref="InputException">There is no such task.</exception>
    public static ImageDataset Create(
        string task,
        int? side = null,
        int? train = null,
        int validation = 100,
        int test = 400,
        ulong seed = 0)
    {
        if (!Tasks.TryGetValue(task, out var definition))
            throw new InputException($"There is no phantom '{task}'; there are: {string.Join(", ", Names)}.");
        var number = (ulong)Names.ToList().IndexOf(task);
        var length = side ?? definition.Side;

        ImageSplit Split(ulong split, int count)
        {
            var size = length * length * definition.Channels;
            var pixels = new byte[count * size];
            var labels = new int[count];
            for (var i = 0; i < count; i++)
            {
                labels[i] = i % (definition.IsMultiLabel ? 1 << definition.Classes : definition.Classes);
                var canvas = new Canvas(length, definition.Channels);
                definition.Draw(canvas, labels[i], new RandomStream(seed, number, split, (ulong)i));
                canvas.CopyTo(pixels.AsSpan(i * size));
            }
            return new ImageSplit(pixels, labels);
        }

        var info = new DatasetInfo
        {
            Name = Prefix + task,
            Height = length,
            Width = length,
            Channels = definition.Channels,
            Classes = definition.Classes,
            IsMultiLabel = definition.IsMultiLabel,
            Provenance = new Provenance("phantom", Sha256: null, IsSynthetic: true),
        };
        var dataset = new ImageDataset(info, Split(0, train ?? definition.Train), Split(1, validation), Split(2, test));
        return dataset.Validated();
    }

    /// <summary>Ultrasound-like: a dark patch in speckle; label 1 has a smooth rim, label 0 a spiculated one.</summary>
    private static void Lesion(Canvas canvas, int label, RandomStream random)
    {
        var (x, y) = (random.Between(-0.25, 0.25), random.Between(-0.25, 0.25));
        var (radius, stretch) = (random.Between(0.35, 0.6), random.Between(0.75, 1.1));
        var spicules = label == 0 ? random.Between(0.16, 0.35) : random.Between(0.0, 0.1);
        var lobes = 5 + random.Below(4);
        var phase = random.Between(0, Math.Tau);
        var depth = random.Between(0.25, 0.42);
        canvas.Fill((u, v) =>
        {
            var (dx, dy) = (u - x, (v - y) / stretch);
            var rim = radius * (1 + (spicules * Math.Sin((lobes * Math.Atan2(dy, dx)) + phase)));
            var inside = Sigmoid((rim - Math.Sqrt((dx * dx) + (dy * dy))) * 16);
            return 0.55 - (depth * inside) - (0.1 * v);
        });
        canvas.Speckle(random, 0.16);
    }

    /// <summary>X-ray-like: two dark lung fields between ribs; label 1 has a hazy opacity in one of them.</summary>
    private static void Opacity(Canvas canvas, int label, RandomStream random)
    {
        var tilt = random.Between(-0.08, 0.08);
        var ribs = random.Between(9, 12);
        var phase = random.Between(0, Math.Tau);
        var (side, y) = (random.Below(2) * 2 - 1, random.Between(-0.4, 0.5));
        var (x, radius) = (side * random.Between(0.35, 0.55), random.Between(0.14, 0.3));
        var haze = label == 1 ? random.Between(0.12, 0.32) : 0;
        canvas.Fill((u, v) =>
        {
            var across = (Math.Abs(u + (tilt * v)) - 0.45) / 0.8;
            var lung = Sigmoid((0.36 - Math.Sqrt(Math.Pow(across, 2) + Math.Pow(v / 2.2, 2))) * 18);
            var rib = 0.05 * Math.Sin((ribs * (v + (0.3 * u * u))) + phase);
            var distance = (Math.Pow(u - x, 2) + Math.Pow(v - y, 2)) / (radius * radius);
            return 0.72 - (0.42 * lung) + rib + (haze * Math.Exp(-distance));
        });
        canvas.Speckle(random, 0.1);
    }

    /// <summary>Microscopy-like, RGB: label 0 round cells, 1 elongated cells, 2 cells with a large nucleus.</summary>
    private static void Cells(Canvas canvas, int label, RandomStream random)
    {
        var cells = Enumerable.Range(0, 3 + random.Below(3)).Select(_ => new Cell(
            X: random.Between(-0.8, 0.8),
            Y: random.Between(-0.8, 0.8),
            Angle: random.Between(0, Math.PI),
            Radius: random.Between(0.22, 0.34),
            Stretch: label == 1 ? random.Between(1.5, 2.1) : random.Between(1.0, 1.35),
            Nucleus: label == 2 ? random.Between(0.6, 0.78) : random.Between(0.32, 0.52))).ToArray();
        double[] stain = [random.Between(0.8, 0.95), random.Between(0.68, 0.82), random.Between(0.8, 0.92)];
        double[] nucleus = [0.4, 0.25, 0.6];
        canvas.Fill((u, v, pixel) =>
        {
            stain.CopyTo(pixel);
            foreach (var cell in cells)
            {
                var distance = cell.Distance(u, v);
                var body = 0.2 * Sigmoid((1 - distance) * 10);
                var core = Sigmoid((cell.Nucleus - distance) * 12);
                for (var channel = 0; channel < pixel.Length; channel++)
                {
                    pixel[channel] -= body * (channel == 1 ? 1.3 : 0.8);
                    pixel[channel] += (nucleus[channel] - pixel[channel]) * 0.7 * core;
                }
            }
        });
        canvas.Speckle(random, 0.12);
    }

    /// <summary>Angiography-like: winding bright vessels; label 1 has one narrowed to a stenosis.</summary>
    private static void Vessels(Canvas canvas, int label, RandomStream random)
    {
        var vessels = Enumerable.Range(0, 2).Select(i => (
            Offset: (i == 0 ? -0.4 : 0.4) + random.Between(-0.15, 0.15),
            Swing: random.Between(0.1, 0.25),
            Wave: random.Between(2, 4),
            Phase: random.Between(0, Math.Tau),
            Width: random.Between(0.12, 0.19))).ToArray();
        var (narrowed, place) = (random.Below(2), random.Between(-0.5, 0.5));
        var severity = label == 1 ? random.Between(0.5, 0.8) : random.Between(0, 0.15);
        canvas.Fill((u, v) =>
        {
            var value = 0.25;
            for (var i = 0; i < vessels.Length; i++)
            {
                var vessel = vessels[i];
                var centre = vessel.Offset + (vessel.Swing * Math.Sin((vessel.Wave * v) + vessel.Phase));
                var width = vessel.Width * (1 - (i == narrowed ? severity * Math.Exp(-Math.Pow((v - place) / 0.2, 2)) : 0));
                value += 0.55 * Math.Exp(-Math.Pow((u - centre) / width, 2));
            }
            return value;
        });
        canvas.Speckle(random, 0.2);
    }

    /// <summary>
    /// A nodule in fibrous tissue: label 0 solid and falling fibres, 1 solid and rising, 2 hollow and falling, 3 hollow and rising.
    /// </summary>
    private static void Nodule(Canvas canvas, int label, RandomStream random)
    {
        var nodule = CreateNodule(random, isHollow: label / 2 == 1);
        var fibres = CreateFibres(random, areRising: label % 2 == 1);
        canvas.Fill((u, v) => Tissue + nodule(u, v) + fibres(u, v));
        canvas.AddNoise(random, Grain);
    }

    /// <summary>A nodule in plain tissue: label 0 solid, 1 hollow.</summary>
    private static void Cavity(Canvas canvas, int label, RandomStream random)
    {
        var nodule = CreateNodule(random, isHollow: label == 1);
        canvas.Fill((u, v) => Tissue + nodule(u, v));
        canvas.AddNoise(random, Grain);
    }

    /// <summary>Fibrous tissue: label 0 fibres fall from left to right, 1 they rise.</summary>
    private static void Fibres(Canvas canvas, int label, RandomStream random)
    {
        var fibres = CreateFibres(random, areRising: label == 1);
        canvas.Fill((u, v) => Tissue + fibres(u, v));
        canvas.AddNoise(random, Grain);
    }

    /// <summary>Small soft spots in plain tissue: label 0 one, 1 three, 2 five.</summary>
    private static void Spots(Canvas canvas, int label, RandomStream random)
    {
        var spots = Enumerable.Range(0, 1 + (2 * label))
            .Select(_ => CreateSoftSpot(random, reach: 0.75, random.Between(0.12, 0.2)))
            .ToArray();
        canvas.Fill((u, v) => Tissue + spots.Sum(spot => spot(u, v)));
        canvas.AddNoise(random, Grain);
    }

    /// <summary>One soft spot in plain tissue: label 0 large, 1 small.</summary>
    private static void Mass(Canvas canvas, int label, RandomStream random)
    {
        var mass = CreateSoftSpot(random, reach: 0.5, label == 1 ? random.Between(0.2, 0.32) : random.Between(0.4, 0.6));
        canvas.Fill((u, v) => Tissue + mass(u, v));
        canvas.AddNoise(random, Grain);
    }

    /// <summary>X-ray-like, any of three findings at once: label 0 a wide haze, 1 a small dense spot, 2 a tube down the image.</summary>
    private static void Findings(Canvas canvas, int label, RandomStream random)
    {
        var haze = CreateSoftSpot(random, reach: 0.5, random.Between(0.45, 0.65));
        var spot = CreateSoftSpot(random, reach: 0.7, random.Between(0.1, 0.16));
        var (place, lean, width) = (random.Between(-0.6, 0.6), random.Between(-0.25, 0.25), random.Between(0.05, 0.08));
        var (hasHaze, hasSpot, hasTube) = (LabelSet.Has(label, 0, true), LabelSet.Has(label, 1, true), LabelSet.Has(label, 2, true));
        canvas.Fill((u, v) =>
        {
            var tube = 0.3 * Math.Exp(-Math.Pow((u - place - (lean * v)) / width, 2));
            return 0.4 + (hasHaze ? 0.7 * haze(u, v) : 0) + (hasSpot ? 1.2 * spot(u, v) : 0) + (hasTube ? tube : 0);
        });
        canvas.AddNoise(random, 0.08);
    }

    /// <summary>What a nodule adds at (u, v). A hollow one is brighter in its wall, so that brightness alone tells little.</summary>
    private static Func<double, double, double> CreateNodule(RandomStream random, bool isHollow)
    {
        var (x, y) = (random.Between(-0.25, 0.25), random.Between(-0.25, 0.25));
        var (radius, stretch) = (random.Between(0.42, 0.6), random.Between(0.8, 1.2));
        return (u, v) =>
        {
            var distance = Math.Sqrt(Math.Pow(u - x, 2) + Math.Pow((v - y) / stretch, 2));
            var whole = Sigmoid((radius - distance) * 16);
            return 0.22 * (isHollow ? 1.4 * (whole - Sigmoid(((0.55 * radius) - distance) * 16)) : whole);
        };
    }

    /// <summary>What fibres add at (u, v): a faint grating along one diagonal, too weak to be seen in any one place.</summary>
    private static Func<double, double, double> CreateFibres(RandomStream random, bool areRising)
    {
        var phase = random.Between(0, Math.Tau);
        var across = (areRising ? Math.PI / 4 : -Math.PI / 4) + random.Between(-0.15, 0.15); // v grows downwards
        var frequency = 11 * random.Between(0.93, 1.07);
        var (x, y) = (frequency * Math.Cos(across), frequency * Math.Sin(across));
        return (u, v) => 0.085 * Math.Sin((x * u) + (y * v) + phase);
    }

    /// <summary>What a soft spot adds at (u, v), its centre up to <paramref name="reach"/> from the image's.</summary>
    private static Func<double, double, double> CreateSoftSpot(RandomStream random, double reach, double width)
    {
        var (x, y) = (random.Between(-reach, reach), random.Between(-reach, reach));
        return (u, v) => 0.31 * Math.Exp(-(Math.Pow(u - x, 2) + Math.Pow(v - y, 2)) / (width * width));
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>A task, with the height, width and number of training images that it has if nobody asks for others.</summary>
    private sealed record Definition(int Classes, int Channels, Draw Draw)
    {
        public int Side { get; init; } = 28;

        public int Train { get; init; } = 400;

        public bool IsMultiLabel { get; init; }
    }

    /// <summary>A turned ellipse with a nucleus.</summary>
    private sealed record Cell(double X, double Y, double Angle, double Radius, double Stretch, double Nucleus)
    {
        private readonly double _cosine = Math.Cos(Angle);
        private readonly double _sine = Math.Sin(Angle);
        private readonly double _narrowing = Math.Sqrt(Stretch);

        /// <summary>From its centre; 1 on its rim.</summary>
        public double Distance(double u, double v)
        {
            var (dx, dy) = (u - X, v - Y);
            var along = ((dx * _cosine) + (dy * _sine)) / Stretch;
            var across = ((dy * _cosine) - (dx * _sine)) * _narrowing;
            return Math.Sqrt((along * along) + (across * across)) / Radius;
        }
    }

    /// <summary>An image under way, values 0 to 1.</summary>
    private sealed class Canvas(int side, int channels)
    {
        private readonly double[] _values = new double[side * side * channels];

        /// <summary>Sets every pixel from its place: u to the right and v down, −1 to 1.</summary>
        public void Fill(Paint paint)
        {
            for (var pixel = 0; pixel < side * side; pixel++)
            {
                var u = (2.0 * (pixel % side) / (side - 1)) - 1;
                var v = (2.0 * (pixel / side) / (side - 1)) - 1;
                paint(u, v, _values.AsSpan(pixel * channels, channels));
            }
        }

        /// <summary>The same for an image of one channel.</summary>
        public void Fill(Func<double, double, double> value) => Fill((u, v, pixel) => pixel[0] = value(u, v));

        /// <summary>Multiplicative noise, one draw a pixel.</summary>
        public void Speckle(RandomStream random, double strength)
        {
            for (var pixel = 0; pixel < side * side; pixel++)
            {
                var factor = 1 + (strength * random.NextNormal());
                for (var channel = 0; channel < channels; channel++) _values[(pixel * channels) + channel] *= factor;
            }
        }

        /// <summary>Additive noise, one draw a pixel.</summary>
        public void AddNoise(RandomStream random, double deviation)
        {
            for (var pixel = 0; pixel < side * side; pixel++)
            {
                var noise = deviation * random.NextNormal();
                for (var channel = 0; channel < channels; channel++) _values[(pixel * channels) + channel] += noise;
            }
        }

        public void CopyTo(Span<byte> pixels)
        {
            for (var i = 0; i < _values.Length; i++) pixels[i] = (byte)Math.Clamp(Math.Round(_values[i] * 255), 0, 255);
        }
    }
}
